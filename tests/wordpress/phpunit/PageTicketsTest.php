<?php
/**
 * Which elements of a page hold tickets, and for what.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Ticket;

require_once __DIR__ . '/support/ContentTestCase.php';

final class PageTicketsTest extends ContentTestCase {
	public function test_publishers_have_tickets_for_their_stream(): void {
		foreach (
			array(
				'stream="live/a"'                           => 'live/a',
				'url="webrtc://live.example.test/live/a"'   => 'live/a',
				'url="webrtc://live.example.test:1985/live/a?x=1"' => 'live/a',
				'url="https://live.example.test:8443/rtc/v1/whip/?app=live&stream=a"' => 'live/a',
				'url="https://live.example.test:8443/one/two/a/whip"' => 'one/two/a',
				'url="wss://live.example.test:8443/live/a.flv"' => 'live/a',
				'url="http://live.example.test:1985/live/a/whip"' => 'live/a',
				'url="https://live.example.test:6666/live/a/whip"' => null,
				'url="https://live.example.test/whip"' => null,
				'url="webrtc://live.example.test:6666/live/a"' => null,
				'url="webrtc://live.example.test.evil.test/live/a"' => null,
				'url="webrtc://evil.test/live/a?live.example.test"' => null,
				'url="webrtc://live.example.test@evil.test/live/a"' => null,
				'stream="live/a" server="https://evil.test"' => null,
			) as $written => $stream
		) {
			$is     = self::element( "[srs_publisher $written roles=\"author, editor\" users=\"ann\"]" );
			$ticket = Ticket::read( $is['data-ticket'] );
			// On another server it is shown by the same rights, and gets no token to take there.
			$this->assertSame( null !== $stream, isset( $is['data-token'] ), $written );
			$this->assertSame(
				array(
					'post'   => self::$post,
					'stream' => (string) $stream,
					'action' => null === $stream ? 'show' : 'publish',
					'limits' => array(
						'roles' => array( 'author', 'editor' ),
						'users' => array( 'ann' ),
					),
					'edited' => get_post( self::$post )->post_modified_gmt,
				),
				$ticket,
				$written
			);
		}
	}

	/** Limits that mean nothing let nobody in, not everybody. */
	public function test_limits_never_widen(): void {
		foreach ( array( '<>', '"', '”', '“”', '&quot;', '»,«', ';;', str_repeat( 'a', 2000 ) ) as $roles ) {
			$html   = \Lianmai\Shortcodes::shortcode(
				'publisher',
				array(
					'stream' => 'live/a',
					'roles'  => $roles,
				)
			);
			$ticket = Ticket::read( Markup::element( $html )['data-ticket'] );
			$this->assertNotSame( array(), $ticket['limits']['roles'], $roles );
		}
	}

	public function test_players_have_tickets_where_playing_needs_a_token(): void {
		$this->assertArrayNotHasKey( 'data-ticket', self::element( '[srs_player stream="live/a"]' ) );
		$this->set(
			array(
				'server'      => self::SERVER,
				'play_tokens' => true,
			)
		);
		foreach ( array( 'stream="live/a"', 'url="' . self::SERVER . '/live/a.m3u8"', 'url="webrtc://live.example.test/live/a"' ) as $written ) {
			$ticket = Ticket::read( self::element( "[srs_player $written]" )['data-ticket'] ?? '' );
			$this->assertSame( array( 'live/a', 'play' ), array( $ticket['stream'] ?? null, $ticket['action'] ?? null ), $written );
		}
		$this->assertArrayNotHasKey( 'data-ticket', self::element( '[srs_player url="http://h/live/a.flv"]' ) );
	}

	public function test_a_server_with_one_secret_is_published_to_by_the_relay(): void {
		$this->set(
			array(
				'server' => self::SERVER,
				'kind'   => 'secret',
			)
		);
		foreach ( array( 'stream="live/a"', 'url="webrtc://live.example.test/live/a?secret=abc"' ) as $written ) {
			$is = self::element( "[srs_publisher $written]" );
			$this->assertSame( array( rest_url( 'lianmai/v1/whip' ), 'webrtc' ), array( $is['url'], $is['protocol'] ?? null ) );
			$this->assertSame( 'live/a', Ticket::read( $is['data-ticket'] )['stream'] );
		}
		$this->set(
			array(
				'server' => self::SERVER,
				'kind'   => 'secret',
				'api'    => 'http://srs.example.test:7777',
			)
		);
		foreach ( array( 'https://live.example.test:8443/live/a.flv', 'http://srs.example.test:7777/rtc/v1/whip/?app=live&stream=a' ) as $url ) {
			$this->assertSame( rest_url( 'lianmai/v1/whip' ), self::element( "[srs_publisher url=\"$url\"]" )['url'] );
		}
		$this->assertSame( 'http://srs.example.test:7777/rtc/v1/whep/?app=live&stream=a', self::element( '[srs_player stream="live/a"]' )['url'] );
		$this->set(
			array(
				'server' => self::SERVER,
				'kind'   => 'secret',
			)
		);
		$other = self::element( '[srs_publisher url="webrtc://other.test/live/a"]' );
		$this->assertSame( array( 'webrtc://other.test/live/a', false ), array( $other['url'], isset( $other['protocol'] ) ) );
		$this->assertSame( self::SERVER . '/rtc/v1/whep/?app=live&stream=a', self::element( '[srs_player stream="live/a"]' )['url'] );
	}
}
