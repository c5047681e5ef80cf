<?php
/**
 * Tickets.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Base64Url;
use Lianmai\Ticket;

require_once __DIR__ . '/support/Site.php';

final class TicketTest extends Site {
	public function test_it_says_what_it_binds(): void {
		$limits = array(
			'roles' => 'editor, author',
			'users' => array( 'anna', 7 ),
		);
		$post   = self::post();
		$ticket = Ticket::make( $post, 'live/stream-a', 'publish', $limits );
		$this->assertSame(
			array(
				'post'   => $post,
				'stream' => 'live/stream-a',
				'action' => 'publish',
				'limits' => array(
					'roles' => array( 'editor', 'author' ),
					'users' => array( 'anna', '7' ),
				),
				'edited' => get_post( $post )->post_modified_gmt,
			),
			Ticket::read( $ticket )
		);
		$this->assertMatchesRegularExpression( '/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/', $ticket );
		$this->assertSame( $ticket, Ticket::make( $post, 'live/stream-a', 'publish', $limits ), 'A cached page holds it for everybody.' );
	}

	public function test_a_changed_one_is_none(): void {
		$ticket = Ticket::make( 12, 'live/直播', 'play' );
		for ( $i = 0; $i < strlen( $ticket ); $i++ ) {
			$changed       = $ticket;
			$changed[ $i ] = 'A' === $ticket[ $i ] ? 'B' : 'A';
			$this->assertNull( Ticket::read( $changed ), $changed );
		}
		$other   = explode( '.', Ticket::make( 13, 'live/直播', 'play' ) );
		$this_is = explode( '.', $ticket );
		$this->assertNull( Ticket::read( $other[0] . '.' . $this_is[1] ) );
		$this->assertNotNull( Ticket::read( $ticket ) );
	}

	/** @dataProvider garbage */
	public function test_garbage_is_none( string $garbage ): void {
		$this->assertNull( Ticket::read( $garbage ) );
	}

	/** @return array<int, array<int, string>> */
	public static function garbage(): array {
		return array( array( '' ), array( '.' ), array( '..' ), array( 'a' ), array( 'a.b.c' ), array( "\0.\0" ), array( str_repeat( 'a', 100000 ) ), array( "\xff\xfe.\xff" ), array( 'bnVsbA.' . str_repeat( 'A', 43 ) ) );
	}

	/** A page's source is for strangers, who must not learn the names of people and roles. */
	public function test_it_tells_strangers_nothing(): void {
		$one    = Ticket::make( 7, 'board/secret', 'publish', array( 'roles' => 'editor', 'users' => array( 'anna', 'admin' ) ) );
		$layers = array( $one );
		// However often it is decoded.
		for ( $depth = 0; $depth < 3; $depth++ ) {
			foreach ( $layers as $layer ) {
				foreach ( explode( '.', $layer ) as $part ) {
					$layers[] = (string) base64_decode( strtr( $part, '-_', '+/' ) );
				}
			}
		}
		foreach ( array( 'anna', 'admin', 'editor', 'board', 'publish' ) as $word ) {
			$this->assertStringNotContainsString( $word, implode( ' ', $layers ) );
		}
		$this->assertSame( array( 'anna', 'admin' ), Ticket::read( $one )['limits']['users'] );
		$this->assertNotSame( $one, Ticket::make( 7, 'board/secret', 'publish', array( 'users' => array( 'anna', 'admin' ) ) ) );
	}

	/** Cached pages hold tickets of 0.1.0, which were readable, and were made in loops over other posts too. */
	public function test_tickets_of_cached_pages_count_for_what_their_post_names(): void {
		$sign = new \ReflectionMethod( Ticket::class, 'sign' );
		$sign->setAccessible( true );
		$old  = static function ( int $post, string $stream, string $action ) use ( $sign ): ?array {
			$payload = Base64Url::encode( (string) wp_json_encode( array( $post, $stream, $action, array(), array( 'anna' ), '' ), JSON_UNESCAPED_SLASHES ) );
			return Ticket::read( $payload . '.' . $sign->invoke( null, $payload ) );
		};
		$post = self::post( array( 'post_content' => '[srs_player stream="live/a"] [srs_player url="https://h/live/%E7%9B%B4%E6%92%AD.flv"]' ) );
		$this->assertSame( array( 'anna' ), $old( $post, 'live/a', 'play' )['limits']['users'] );
		$this->assertSame( $post, $old( $post, 'live/直播', 'play' )['post'] );
		$this->assertNull( $old( $post, 'board/secret', 'play' ) );
		$this->assertNull( $old( 0, 'live/a', 'play' ) );
		// To publish one needs the right in any case.
		$this->assertSame( 'publish', $old( $post, 'board/secret', 'publish' )['action'] );
	}

	public function test_what_is_signed_but_odd_is_none(): void {
		$sign = new \ReflectionMethod( Ticket::class, 'sign' );
		$sign->setAccessible( true );
		foreach ( array( 'null', '[]', '{"0":1}', '[1,2,3,4,5]', '["1","a/b","play",[],[],""]', '[1,"a/b","record",[],[],""]', '[1,"a/b","play",[],"x",""]', '[1,"a/b","play",[],[]]', '[1,"a/b","play",[],[],1]', 'not json', str_repeat( '[', 600 ) ) as $text ) {
			$payload = Base64Url::encode( $text );
			$this->assertNull( Ticket::read( $payload . '.' . $sign->invoke( null, $payload ) ), $text );
		}
	}

	public function test_another_site_or_salt_is_another_ticket(): void {
		$ticket = Ticket::make( 1, 'a/b', 'play' );
		$salt   = static function ( string $salt ): string {
			return $salt . 'x';
		};
		add_filter( 'salt', $salt );
		$this->assertNull( Ticket::read( $ticket ) );
		remove_filter( 'salt', $salt );
		$GLOBALS['blog_id'] += 1;
		$read                = Ticket::read( $ticket );
		$GLOBALS['blog_id'] -= 1;
		$this->assertNull( $read );
		$this->assertNotNull( Ticket::read( $ticket ) );
	}
}
