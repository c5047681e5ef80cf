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
