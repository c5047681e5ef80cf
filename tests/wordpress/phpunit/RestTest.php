<?php
/**
 * Who is given tokens.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Base64Url;
use Lianmai\Capability;
use Lianmai\Ticket;

require_once __DIR__ . '/support/Site.php';

final class RestTest extends Site {
	/** @dataProvider roles */
	public function test_publishing_is_for_those_with_the_right( string $role, bool $may ): void {
		$ticket = Ticket::make( self::post(), 'live/a', 'publish' );
		$person = self::person( $role );
		$nonce  = self::log_in( $person );
		$this->assertSame( $may, self::ask( 'may', $ticket, $nonce )->get_data()['may'] );
		$response = self::ask( 'token', $ticket, $nonce );
		if ( ! $may ) {
			$this->assert_refused( 403, 'lianmai_denied', $response );
			return;
		}
		$this->assertSame( 200, $response->get_status() );
		$claims = self::claims( $response );
		$this->assertSame( array( (string) $person, 'live/a', 'publish' ), array( $claims['sub'], $claims['stream'], $claims['act'] ) );
	}

	/** @return array<int, array{string, bool}> */
	public static function roles(): array {
		return array( array( 'subscriber', false ), array( 'contributor', false ), array( 'author', true ), array( 'editor', true ), array( 'administrator', true ) );
	}

	public function test_publishing_wants_cookie_and_nonce(): void {
		$ticket = Ticket::make( self::post(), 'live/a', 'publish' );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket ) );
		$this->assertSame( 'lianmai_login', self::ask( 'may', $ticket )->get_data()['code'] );
		$nonce = self::log_in( self::person( 'editor' ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket, 'wrong' ) );
		$this->assertSame( 200, self::ask( 'token', $ticket, $nonce )->get_status() );
		$_COOKIE = array();
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket, $nonce ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket, (string) wp_create_nonce( 'wp_rest' ) ) );
	}

	public function test_an_application_password_is_no_login_to_publish(): void {
		$ticket = Ticket::make( self::post(), 'live/a', 'publish' );
		// As WordPress is after it took one: a user, and no cookie.
		wp_set_current_user( self::person( 'administrator' ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket, (string) wp_create_nonce( 'wp_rest' ) ) );
		// And the cookie of another one does not help.
		$nonce = self::log_in( self::person( 'subscriber' ) );
		wp_set_current_user( self::person( 'administrator' ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket, $nonce ) );
	}

	public function test_a_publisher_on_another_server_is_shown_by_the_same_rights_without_a_token(): void {
		$ticket = Ticket::make( self::post(), '', 'show' );
		$nonce  = self::log_in( self::person( 'author' ) );
		$this->assertTrue( self::ask( 'may', $ticket, $nonce )->get_data()['may'] );
		$this->assert_refused( 400, 'lianmai_ticket', self::ask( 'token', $ticket, $nonce ) );
		$nonce = self::log_in( self::person( 'contributor' ) );
		$this->assertFalse( self::ask( 'may', $ticket, $nonce )->get_data()['may'] );
	}

	public function test_tickets_of_others_and_garbage_are_refused(): void {
		$nonce = self::log_in( self::person( 'editor' ) );
		foreach ( array( 'garbage', 'a.b', Ticket::make( 1, 'live/a', 'publish' ) . 'x' ) as $ticket ) {
			$this->assert_refused( 400, 'lianmai_ticket', self::ask( 'token', $ticket, $nonce ) );
			$this->assertSame( 'lianmai_ticket', self::ask( 'may', $ticket, $nonce )->get_data()['code'] );
		}
		$this->assert_refused( 400, 'rest_invalid_param', self::ask( 'token', str_repeat( 'a', 5000 ), $nonce ) );
		$this->assertSame( 400, rest_do_request( new \WP_REST_Request( 'POST', '/lianmai/v1/token' ) )->get_status() );
		$list = new \WP_REST_Request( 'POST', '/lianmai/v1/token' );
		$list->set_body_params( array( 'ticket' => array( 'a' ) ) );
		$response = rest_do_request( $list );
		$this->assertSame( 400, $response->get_status() );
		// Over HTTP the header Allow is made of what is permitted to the refused request.
		$allow = rest_send_allow_header( $response, rest_get_server(), $list )->get_headers();
		$this->assertArrayNotHasKey( 'Allow', $allow );
	}

	public function test_the_post_must_be_there_for_the_person(): void {
		$author = self::person( 'author' );
		$nonce  = self::log_in( $author );
		$theirs = self::post( array( 'post_status' => 'draft' ) );
		$mine   = self::post(
			array(
				'post_status' => 'draft',
				'post_author' => $author,
			)
		);
		$trash  = self::post();
		wp_trash_post( $trash );
		$password = self::post( array( 'post_password' => 'open' ) );
		foreach ( array( -1, 999999999, $theirs, $trash, $password ) as $post ) {
			$this->assert_refused( 403, 'lianmai_denied', self::ask( 'token', Ticket::make( $post, 'live/a', 'publish' ), $nonce ) );
		}
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $mine, 'live/a', 'publish' ), $nonce )->get_status() );
	}

	/** What somebody took out of a page or narrowed is not to be had by the page as it was. */
	public function test_an_edited_page_takes_its_tickets_back(): void {
		$post    = self::post( array( 'post_date' => '2020-01-01 00:00:00' ) );
		$nonce   = self::log_in( self::person( 'author' ) );
		$publish = Ticket::make( $post, 'live/a', 'publish' );
		$play    = Ticket::make( $post, 'live/a', 'play' );
		$this->assertSame( 200, self::ask( 'token', $publish, $nonce )->get_status() );
		$this->assertSame( 200, self::ask( 'token', $play, $nonce )->get_status() );
		wp_update_post(
			array(
				'ID'           => $post,
				'post_content' => '[srs_publisher stream="live/a" users="admin"]',
			)
		);
		foreach ( array( $publish, $play ) as $old ) {
			$this->assert_refused( 400, 'lianmai_ticket', self::ask( 'token', $old, $nonce ) );
			$this->assertSame( 'lianmai_ticket', self::ask( 'may', $old, $nonce )->get_data()['code'] );
		}
		// The page as it is now has others, and who may goes on with those.
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $post, 'live/a', 'publish' ), $nonce )->get_status() );
		$this->assert_refused( 403, 'lianmai_denied', self::ask( 'token', Ticket::make( $post, 'live/a', 'publish', array( 'users' => 'admin' ) ), $nonce ) );
	}

	public function test_limits_narrow_and_never_widen(): void {
		$post   = self::post();
		$author = self::person( 'author' );
		$login  = get_userdata( $author )->user_login;
		$nonce  = self::log_in( $author );
		$may    = static function ( array $limits ) use ( $post, &$nonce ): bool {
			return self::ask( 'may', Ticket::make( $post, 'live/a', 'publish', $limits ), $nonce )->get_data()['may'];
		};
		$this->assertFalse( $may( array( 'roles' => 'editor' ) ) );
		$this->assertTrue( $may( array( 'roles' => 'editor, author' ) ) );
		$this->assertFalse( $may( array( 'users' => 'anna,1' ) ) );
		$this->assertTrue( $may( array( 'users' => $login ) ) );
		$this->assertTrue( $may( array( 'users' => (string) $author ) ) );
		$this->assertTrue(
			$may(
				array(
					'roles' => 'editor',
					'users' => $login,
				)
			)
		);
		$subscriber = self::person( 'subscriber' );
		$nonce      = self::log_in( $subscriber );
		$this->assertFalse(
			$may(
				array(
					'roles' => 'subscriber',
					'users' => (string) $subscriber,
				)
			)
		);
	}

	public function test_playing_is_for_who_may_read(): void {
		$public  = Ticket::make( self::post(), 'live/a', 'play' );
		$private = Ticket::make( self::post( array( 'post_status' => 'private' ) ), 'live/a', 'play' );
		$visitor = self::ask( 'token', $public );
		$this->assertSame( 200, $visitor->get_status() );
		$this->assertSame( array( '0', 'play' ), array( self::claims( $visitor )['sub'], self::claims( $visitor )['act'] ) );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $private ) );
		$nonce = self::log_in( self::person( 'subscriber' ) );
		$this->assert_refused( 403, 'lianmai_denied', self::ask( 'token', $private, $nonce ) );
		$this->assertSame( 200, self::ask( 'token', $public, $nonce )->get_status() );
		$nonce = self::log_in( self::person( 'editor' ) );
		$this->assertSame( 200, self::ask( 'token', $private, $nonce )->get_status() );
	}

	/** Whoever may write drafts could name any stream in one. */
	public function test_a_draft_plays_for_nobody_who_may_not_publish(): void {
		$contributor = self::person( 'contributor' );
		$draft       = self::post(
			array(
				'post_status' => 'draft',
				'post_author' => $contributor,
			)
		);
		$ticket      = Ticket::make( $draft, 'live/members', 'play' );
		$nonce       = self::log_in( $contributor );
		$this->assertTrue( current_user_can( 'read_post', $draft ) );
		$this->assert_refused( 403, 'lianmai_denied', self::ask( 'token', $ticket, $nonce ) );
		foreach ( array( 'pending', 'future' ) as $status ) {
			wp_update_post(
				array(
					'ID'          => $draft,
					'post_status' => $status,
					'post_date'   => gmdate( 'Y-m-d H:i:s', time() + DAY_IN_SECONDS ),
					'edit_date'   => true,
				)
			);
			$this->assert_refused( 403, 'lianmai_denied', self::ask( 'token', Ticket::make( $draft, 'live/members', 'play' ), $nonce ) );
		}
		// Who looks through it may play it, and once it is published everybody.
		$nonce = self::log_in( self::person( 'editor' ) );
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $draft, 'live/members', 'play' ), $nonce )->get_status() );
		$author = self::person( 'author' );
		$nonce  = self::log_in( $author );
		$own    = self::post(
			array(
				'post_status' => 'draft',
				'post_author' => $author,
			)
		);
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $own, 'live/a', 'play' ), $nonce )->get_status() );
		$nonce     = self::log_in( $contributor );
		$published = self::post( array( 'post_author' => $contributor ) );
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $published, 'live/a', 'play' ), $nonce )->get_status() );
	}

	public function test_a_post_with_a_password_wants_it(): void {
		$ticket = Ticket::make( self::post( array( 'post_password' => 'open' ) ), 'live/a', 'play' );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket ) );
		require_once ABSPATH . WPINC . '/class-phpass.php';
		$hasher                                 = new \PasswordHash( 8, true );
		$_COOKIE[ 'wp-postpass_' . COOKIEHASH ] = $hasher->HashPassword( 'open' );
		$this->assertSame( 200, self::ask( 'token', $ticket )->get_status() );
		$_COOKIE[ 'wp-postpass_' . COOKIEHASH ] = $hasher->HashPassword( 'wrong' );
		$this->assert_refused( 401, 'lianmai_login', self::ask( 'token', $ticket ) );
	}

	public function test_asking_in_a_loop_ends(): void {
		$ticket = Ticket::make( self::post(), 'live/a', 'publish' );
		$nonce  = self::log_in( self::person( 'author' ) );
		$status = array();
		// Two minutes may have a part in it, and each has its sixty.
		for ( $i = 0; $i < 121; $i++ ) {
			$status[] = self::ask( 'token', $ticket, $nonce )->get_status();
		}
		$this->assertSame( array_fill( 0, 60, 200 ), array_slice( $status, 0, 60 ) );
		$this->assertContains( 429, $status );
	}

	public function test_a_role_editors_word_stays(): void {
		$author = self::person( 'author' );
		get_role( 'author' )->remove_cap( Capability::NAME );
		get_role( 'subscriber' )->add_cap( Capability::NAME );
		Capability::activate();
		$this->assertFalse( user_can( $author, Capability::NAME ) );
		$this->assertTrue( user_can( self::person( 'subscriber' ), Capability::NAME ) );
		delete_option( Capability::GIVEN );
		Capability::activate();
		$this->assertTrue( user_can( $author, Capability::NAME ), 'The first time it is given.' );
	}

	public function test_nothing_of_it_is_cached_but_the_keys(): void {
		$server = rest_get_server();
		foreach ( array(
			'token' => 'no-store',
			'may'   => 'no-store',
			'jwks'  => 'public, max-age=60',
		) as $route => $header ) {
			$request  = new \WP_REST_Request( 'jwks' === $route ? 'GET' : 'POST', '/lianmai/v1/' . $route );
			$response = apply_filters( 'rest_post_dispatch', rest_ensure_response( $server->dispatch( $request ) ), $server, $request );
			$this->assertSame( $header, $response->get_headers()['Cache-Control'] );
		}
	}

	/** @return array<string, mixed> */
	private static function claims( \WP_REST_Response $response ): array {
		return json_decode( (string) Base64Url::decode( explode( '.', $response->get_data()['token'] )[1] ), true );
	}

	private function assert_refused( int $status, string $code, \WP_REST_Response $response ): void {
		$this->assertSame( array( $status, $code ), array( $response->get_status(), $response->get_data()['code'] ?? '' ) );
	}
}
