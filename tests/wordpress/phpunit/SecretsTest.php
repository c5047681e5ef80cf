<?php
/**
 * Secrets in addresses do not reach a page.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Secrets;

require_once __DIR__ . '/support/ContentTestCase.php';

final class SecretsTest extends ContentTestCase {
	/** Addresses, what is left of them, and what is found. */
	private const CASES = array(
		array( 'webrtc://h/live/a', 'webrtc://h/live/a', array() ),
		array( 'webrtc://h/live/a?secret=S3cr3t', 'webrtc://h/live/a', array( 'secret' => 'S3cr3t' ) ),
		array( 'webrtc://h/live/a?SECRET=S3cr3t&x=1', 'webrtc://h/live/a?x=1', array( 'secret' => 'S3cr3t' ) ),
		array( 'webrtc://h/live/a?x=1&secret=S3cr3t#f', 'webrtc://h/live/a?x=1#f', array( 'secret' => 'S3cr3t' ) ),
		array( 'https://h/rtc/v1/whip/?app=live&stream=a&secret=S3cr3t', 'https://h/rtc/v1/whip/?app=live&stream=a', array( 'secret' => 'S3cr3t' ) ),
		array( 'https://h/rtc/v1/whip/?app=live&stream=a%3Fsecret%3DS3cr3t', 'https://h/rtc/v1/whip/?app=live&stream=a', array( 'secret' => 'S3cr3t' ) ),
		array( 'https://h/rtc/v1/whip/?app=live&stream=a%3Fx%3D1%26secret%3DS3cr3t%26y%3D2', 'https://h/rtc/v1/whip/?app=live&stream=a%3Fx%3D1%26y%3D2', array( 'secret' => 'S3cr3t' ) ),
		array( 'https://h/live/a.flv?%73ecret=S3cr3t', 'https://h/live/a.flv', array( 'secret' => 'S3cr3t' ) ),
		array( 'https://h/live/a.flv?vhost=v?token=S3cr3t', 'https://h/live/a.flv?vhost=v', array( 'token' => 'S3cr3t' ) ),
		array( 'https://h/live/a.flv#token=S3cr3t', 'https://h/live/a.flv', array( 'token' => 'S3cr3t' ) ),
		array( 'https://ann:S3cr3t@h:8080/live/a.flv', 'https://h:8080/live/a.flv', array( 'user' => 'ann:S3cr3t' ) ),
		array( '//ann:S3cr3t@h/live/a.flv', '//h/live/a.flv', array( 'user' => 'ann:S3cr3t' ) ),
		array( '/live/a.flv?password=S3cr3t&passphrase=S3cr3t', '/live/a.flv', array( 'password' => 'S3cr3t', 'passphrase' => 'S3cr3t' ) ),
		array( 'https://h/live/a.flv?vhost=v&secretary=me&start=1', 'https://h/live/a.flv?vhost=v&secretary=me&start=1', array() ),
		array( 'https://h/live/a@b.flv?x=a@b', 'https://h/live/a@b.flv?x=a@b', array() ),
	);

	public function test_strip_and_find(): void {
		foreach ( self::CASES as list( $url, $left, $found ) ) {
			$this->assertSame( $left, Secrets::strip( $url ) );
			$this->assertSame( $found, Secrets::find( $url ), $url );
			$this->assertSame( array(), Secrets::find( Secrets::strip( $url ) ), $url );
		}
	}

	/** The secret of the settings is one under every name. */
	public function test_the_secret_of_the_settings(): void {
		add_filter(
			'pre_option_lianmai_secret',
			static function (): array {
				return array(
					'server' => self::SERVER,
					'secret' => 'the one',
				);
			}
		);
		$this->assertSame( 'webrtc://h/live/a?b=2', Secrets::strip( 'webrtc://h/live/a?k=the+one&b=2' ) );
		$this->assertSame( array( 'k' => 'the one' ), Secrets::find( 'webrtc://h/live/a?k=the%20one' ) );
	}

	/** A server, a picture and captions are addresses too. */
	public function test_other_addresses_than_the_streams_have_none(): void {
		add_filter(
			'pre_option_lianmai_secret',
			static function (): array {
				return array(
					'server' => self::SERVER,
					'secret' => 'S3cr3t',
				);
			}
		);
		$server = self::element( '[srs_player stream="live/x" server="https://admin:S3cr3t@h/"]' );
		$this->assertSame( 'https://h/live/x/whep', $server['url'] );
		$this->assertSame( 'https://h/live/x/whip', self::element( '[srs_publisher stream="live/x" server="https://admin:S3cr3t@h"]' )['url'] );
		foreach (
			array(
				'https://ann:S3cr3t@cdn.test/p.jpg'          => 'https://cdn.test/p.jpg',
				'//ann:S3cr3t@cdn.test/p.jpg'                => '//cdn.test/p.jpg',
				'https://cdn.test/p.jpg?secret=S3cr3t&amp;x=1' => 'https://cdn.test/p.jpg?x=1',
				'https://cdn.test/p.jpg?k=S3cr3t'            => 'https://cdn.test/p.jpg',
				'/p.jpg?secret=S3cr3t'                       => '/p.jpg',
				self::SERVER . '/live/x.jpg?token=S3cr3t2'   => self::SERVER . '/live/x.jpg',
				// A link that somebody signed is for whoever has it.
				'https://cdn.test/p.jpg?token=signed&amp;expires=1' => 'https://cdn.test/p.jpg?token=signed&expires=1',
			) as $written => $left
		) {
			$is = self::element( "[srs_player stream=\"live/x\" poster=\"$written\" captions=\"$written\"]" );
			$this->assertSame( array( $left, $left ), array( $is['poster'] ?? null, $is['captions'] ?? null ), $written );
		}
	}

	public function test_pages_have_none(): void {
		wp_set_current_user( 1 );
		foreach ( self::CASES as list( $url ) ) {
			$encoded = str_replace( '&', '&amp;', $url );
			foreach (
				array(
					"[srs_player url=\"$url\"]",
					"[srs_player src='$encoded']",
					"[srs_publisher url=\"$encoded\"]",
					'<!-- wp:lianmai/player ' . wp_json_encode( array( 'url' => $url ) ) . ' /-->',
					'<!-- wp:lianmai/publisher ' . wp_json_encode( array( 'url' => $encoded ) ) . ' /-->',
					"[video src=\"$url\"]",
					"[embed]{$url}[/embed]",
					false !== strpos( $url, 'webrtc' ) ? "\n$encoded\n" : '',
				) as $written
			) {
				$page = self::page( $written );
				if ( false !== strpos( $page, 'data-lianmai' ) ) {
					$this->assertStringNotContainsString( 'S3cr3t', rawurldecode( $page ), $written );
				} else {
					$this->assertStringNotContainsString( 'srs_', $written );
				}
			}
		}
	}
}
