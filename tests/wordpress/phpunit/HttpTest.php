<?php
/**
 * Over HTTP, as browsers and gateways ask: the site of LIANMAI_WORDPRESS runs.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Settings;
use Lianmai\Ticket;
use Lianmai\Token;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/support/Upstream.php';

/** No transaction here: the other process must see what is written, and it is taken back by hand. */
final class HttpTest extends TestCase {
	/** @var int */
	private $post = 0;
	/** @var int */
	private $person = 0;

	protected function setUp(): void {
		$this->post   = (int) wp_insert_post(
			array(
				'post_title'  => 'Live',
				'post_status' => 'publish',
			)
		);
		$this->person = (int) wp_insert_user(
			array(
				'user_login' => 'http-author',
				'user_pass'  => 'password',
				'user_email' => 'http-author@example.test',
				'role'       => 'author',
			)
		);
	}

	protected function tearDown(): void {
		wp_delete_post( $this->post, true );
		is_multisite() ? wpmu_delete_user( $this->person ) : wp_delete_user( $this->person );
		\Lianmai\Options::drop_past( 'lianmai_jti_', time() + HOUR_IN_SECONDS );
		delete_option( Settings::OPTION );
		delete_option( Settings::SECRET );
	}

	public function test_a_browser_logs_in_and_is_given_a_token(): void {
		$ticket = Ticket::make( $this->post, 'live/a', 'publish' );
		$this->assertSame( 401, self::post( 'token', $ticket )['status'] );

		$login   = wp_remote_post(
			site_url( 'wp-login.php' ),
			array(
				'redirection' => 0,
				'cookies'     => array( new \WP_Http_Cookie( array( 'name' => TEST_COOKIE, 'value' => 'WP Cookie check' ) ) ),
				'body'        => 'log=http-author&pwd=password',
			)
		);
		$cookies = wp_remote_retrieve_cookies( $login );
		$nonce   = wp_remote_retrieve_body( wp_remote_get( admin_url( 'admin-ajax.php?action=rest-nonce' ), array( 'cookies' => $cookies ) ) );
		$this->assertMatchesRegularExpression( '/^[0-9a-f]{10}$/', $nonce );

		$this->assertSame( 401, self::post( 'token', $ticket, array( 'cookies' => $cookies ) )['status'], 'A cookie alone is what another site could use.' );
		$this->assertSame( 403, self::post( 'token', $ticket, array( 'cookies' => $cookies ), '0123456789' )['status'] );
		$given = self::post( 'token', $ticket, array( 'cookies' => $cookies ), $nonce );
		$this->assertSame( array( 200, 'no-store' ), array( $given['status'], $given['cache'] ) );
		$this->assertSame( (string) $this->person, Token::verify( $given['body']['token'], 'publish' )['sub'] );
		$this->assertTrue( self::post( 'may', $ticket, array( 'cookies' => $cookies ), $nonce )['body']['may'] );
	}

	public function test_an_application_password_is_no_way_round(): void {
		// WordPress takes them on sites without HTTPS too where this says so, which is what a test needs.
		list( $password ) = \WP_Application_Passwords::create_new_application_password( $this->person, array( 'name' => 'test' ) );
		$basic            = array( 'headers' => array( 'Authorization' => 'Basic ' . base64_encode( 'http-author:' . $password ) ) );
		$this->assertSame( 401, self::post( 'token', Ticket::make( $this->post, 'live/a', 'publish' ), $basic )['status'] );
		$this->assertSame( 200, self::post( 'token', Ticket::make( $this->post, 'live/a', 'play' ), $basic )['status'] );
	}

	public function test_the_keys_are_public_for_a_minute(): void {
		$answer = wp_remote_get( rest_url( 'lianmai/v1/jwks' ) );
		$this->assertSame( 'public, max-age=60', wp_remote_retrieve_header( $answer, 'cache-control' ) );
		$keys = json_decode( wp_remote_retrieve_body( $answer ), true )['keys'];
		$this->assertSame( array( 'kty', 'crv', 'use', 'alg', 'kid', 'x' ), array_keys( $keys[0] ) );
	}

	public function test_the_relay_speaks_sdp_over_http(): void {
		$server = new Upstream( 'http_response_code( 201 ); header( "Location: /session" ); echo "v=0\r\nanswer\r\n";' );
		update_option(
			Settings::OPTION,
			array(
				'server' => $server->url,
				'kind'   => 'secret',
				'secret' => 'swordfish',
			)
		);
		$answer   = wp_remote_post(
			rest_url( 'lianmai/v1/whip' ),
			array(
				'headers' => array(
					'Content-Type'  => 'application/sdp',
					'Authorization' => 'Bearer ' . Token::mint( $this->person, 'live/a', 'publish' ),
				),
				'body'    => "v=0\r\noffer\r\n",
			)
		);
		$location = (string) wp_remote_retrieve_header( $answer, 'location' );
		$ended    = wp_remote_request( $location, array( 'method' => 'DELETE' ) );
		$again    = wp_remote_request( $location, array( 'method' => 'DELETE' ) );
		$asked    = $server->asked();
		$server->stop();
		$this->assertSame( array( 201, "v=0\r\nanswer\r\n" ), array( wp_remote_retrieve_response_code( $answer ), wp_remote_retrieve_body( $answer ) ) );
		$this->assertStringStartsWith( 'application/sdp', (string) wp_remote_retrieve_header( $answer, 'content-type' ) );
		$this->assertSame( array( 200, 404 ), array( wp_remote_retrieve_response_code( $ended ), wp_remote_retrieve_response_code( $again ) ) );
		$this->assertSame( array( 'POST', 'DELETE' ), array_column( $asked, 'method' ) );
		$this->assertSame( "v=0\r\noffer\r\n", $asked[0]['body'] );
		$this->assertStringContainsString( 'secret=swordfish', $asked[0]['uri'] );
		$this->assertStringNotContainsString( 'swordfish', (string) wp_json_encode( array( (string) wp_remote_retrieve_body( $answer ), wp_remote_retrieve_headers( $answer )->getAll(), wp_remote_retrieve_body( $again ) ) ) );
	}

	/**
	 * @param array<string, mixed> $more
	 * @return array{status: int, cache: string, body: mixed}
	 */
	private static function post( string $route, string $ticket, array $more = array(), string $nonce = '' ): array {
		$more['body'] = 'ticket=' . rawurlencode( $ticket );
		if ( '' !== $nonce ) {
			$more['headers']['X-WP-Nonce'] = $nonce;
		}
		$answer = wp_remote_post( rest_url( 'lianmai/v1/' . $route ), $more );
		return array(
			'status' => (int) wp_remote_retrieve_response_code( $answer ),
			'cache'  => (string) wp_remote_retrieve_header( $answer, 'cache-control' ),
			'body'   => json_decode( (string) wp_remote_retrieve_body( $answer ), true ),
		);
	}
}
