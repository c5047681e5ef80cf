<?php
/**
 * The relay, before a server that writes down what it is asked.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Token;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Upstream.php';

final class RelayTest extends Site {
	private const SECRET = 'b-2f"9/ü&x';
	private const OFFER  = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n";

	/** Answers as SRS does, with a Location that ends the session, and as it does not. */
	private const SCRIPT = <<<'PHP'
parse_str( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_QUERY ), $query );
$name = $query['stream'] ?? '';
if ( 'DELETE' === $_SERVER['REQUEST_METHOD'] ) { http_response_code( 200 ); return; }
if ( 'moved' === $name ) { http_response_code( 302 ); header( 'Location: http://127.0.0.1:9/' ); return; }
if ( 'talks' === $name ) { http_response_code( 409 ); echo '<b>stream busy</b>, secret=' . $query['secret'] . ' or ' . rawurlencode( $query['secret'] ); return; }
if ( 'json' === $name ) { header( 'Content-Type: application/json' ); echo json_encode( array( 'code' => 400, 'data' => $query['secret'] ) ); return; }
if ( 'problem' === $name ) { http_response_code( 403 ); echo json_encode( array( 'title' => 'Forbidden', 'detail' => 'wrong: ' . $query['secret'] ) ); return; }
if ( 'silent' === $name ) { http_response_code( 500 ); return; }
http_response_code( 201 );
header( 'Content-Type: application/sdp' );
header( 'Location: ' . ( 'elsewhere' === $name ? 'http://127.0.0.2:1/x' : '/rtc/v1/whip/?action=delete&token=hidden&stream=' . $name ) );
echo "v=0\r\nanswer\r\n";
PHP;

	/** @var Upstream */
	private static $upstream;

	public static function setUpBeforeClass(): void {
		self::$upstream = new Upstream( self::SCRIPT );
	}

	public static function tearDownAfterClass(): void {
		self::$upstream->stop();
	}

	protected function setUp(): void {
		parent::setUp();
		self::set_server(
			self::$upstream->url,
			array(
				'kind'   => 'secret',
				'secret' => self::SECRET,
			)
		);
	}

	public function test_an_offer_goes_on_with_the_secret_and_comes_back_without(): void {
		$token    = Token::mint( 1, 'live/room/ä', 'publish' );
		$response = self::offer( $token );
		$this->assertSame( 201, $response->get_status() );
		$this->assertSame( "v=0\r\nanswer\r\n", $response->get_data() );
		$this->assertSame( 'application/sdp', $response->get_headers()['Content-Type'] );
		$asked = self::last();
		parse_str( (string) wp_parse_url( $asked['uri'], PHP_URL_QUERY ), $query );
		$this->assertSame( '/rtc/v1/whip/', wp_parse_url( $asked['uri'], PHP_URL_PATH ) );
		$this->assertSame(
			array(
				'app'    => 'live/room',
				'stream' => 'ä',
				'secret' => self::SECRET,
			),
			$query
		);
		$this->assertSame( self::OFFER, $asked['body'] );
		$this->assertSame( 'application/sdp', $asked['headers']['Content-Type'] );
		$this->assertStringNotContainsString( $token, (string) json_encode( $asked ), 'The token stays here.' );
		$this->assert_no_secret( $response );

		$location = $response->get_headers()['Location'];
		$this->assertMatchesRegularExpression( '#^' . preg_quote( rest_url( 'lianmai/v1/whip/' ), '#' ) . '[0-9a-f]{32}$#', $location );
		$id = basename( $location );
		$this->assertSame( 404, self::end( str_repeat( '0', 32 ) )->get_status() );
		$this->assertSame( 200, self::end( $id )->get_status() );
		$this->assertSame( 'DELETE', self::last()['method'] );
		$this->assertSame( '/rtc/v1/whip/?action=delete&token=hidden&stream=' . 'ä', rawurldecode( self::last()['uri'] ) );
		$this->assertSame( 404, self::end( $id )->get_status(), 'It is ended once.' );
	}

	public function test_only_a_fresh_token_to_publish_opens_it(): void {
		$asked = count( self::$upstream->asked() );
		$used  = Token::mint( 1, 'live/a', 'publish' );
		$this->assertSame( 201, self::offer( $used )->get_status() );
		foreach ( array( '', 'x', $used, Token::mint( 1, 'live/a', 'play' ), Token::mint( 1, 'live/a', 'publish', time() - 100 ), Token::mint( 1, 'live/a', 'publish', time() + 100 ) ) as $token ) {
			$response = self::offer( $token );
			$this->assertSame( array( 401, 'lianmai_token' ), array( $response->get_status(), $response->get_data()['code'] ) );
		}
		$this->assertCount( $asked + 1, self::$upstream->asked() );
	}

	public function test_the_token_may_stand_in_the_address_or_in_a_header_that_servers_rename(): void {
		$request = self::request();
		$request->set_query_params( array( 'token' => Token::mint( 1, 'live/a', 'publish' ) ) );
		$this->assertSame( 201, rest_do_request( $request )->get_status() );
		$_SERVER['REDIRECT_HTTP_AUTHORIZATION'] = 'Bearer ' . Token::mint( 1, 'live/a', 'publish' );
		$response                               = rest_do_request( self::request() );
		unset( $_SERVER['REDIRECT_HTTP_AUTHORIZATION'] );
		$this->assertSame( 201, $response->get_status() );
	}

	/** @dataProvider refusals */
	public function test_what_the_server_says_comes_back_without_the_secret( string $stream, int $status, string $sentence ): void {
		$response = self::offer( Token::mint( 1, 'live/' . $stream, 'publish' ) );
		$this->assertSame( array( $status, 'lianmai_server' ), array( $response->get_status(), $response->get_data()['code'] ) );
		$this->assertStringContainsString( $sentence, $response->get_data()['message'] );
		$this->assert_no_secret( $response );
	}

	/** @return array<int, array{string, int, string}> */
	public static function refusals(): array {
		return array( array( 'talks', 409, '409, “stream busy, secret=… or …”' ), array( 'json', 502, '"data":"…"' ), array( 'problem', 502, '403, “wrong: …”' ), array( 'silent', 502, '500' ), array( 'moved', 502, '302' ) );
	}

	public function test_a_server_that_is_away_is_502_without_an_address(): void {
		self::set_server(
			'http://127.0.0.1:1',
			array(
				'kind'   => 'secret',
				'secret' => self::SECRET,
			)
		);
		$response = self::offer( Token::mint( 1, 'live/a', 'publish' ) );
		$this->assertSame( 502, $response->get_status() );
		$this->assertStringNotContainsString( 'rtc/v1', (string) wp_json_encode( $response->get_data() ) );
		$this->assert_no_secret( $response );
	}

	public function test_a_location_at_another_server_is_never_asked(): void {
		$response = self::offer( Token::mint( 1, 'live/elsewhere', 'publish' ) );
		$this->assertSame( 201, $response->get_status() );
		$asked = count( self::$upstream->asked() );
		$this->assertSame( 200, self::end( basename( $response->get_headers()['Location'] ) )->get_status() );
		$this->assertCount( $asked, self::$upstream->asked() );
	}

	public function test_what_is_no_offer_is_refused_in_whips_words(): void {
		foreach ( array( array( 'application/json', self::OFFER, 415 ), array( 'application/sdp', 'hello', 400 ), array( 'application/sdp', self::OFFER . str_repeat( 'a', 70000 ), 413 ) ) as list( $type, $body, $status ) ) {
			$request = self::request();
			$request->set_header( 'Content-Type', $type );
			$request->set_header( 'Authorization', 'Bearer ' . Token::mint( 1, 'live/a', 'publish' ) );
			$request->set_body( 'application/json' === $type ? '{}' : $body );
			$this->assertSame( $status, rest_do_request( $request )->get_status() );
		}
		foreach ( array(
			'whip'                            => array( 'POST', array( 'GET', 'PUT', 'PATCH', 'DELETE' ) ),
			'whip/' . str_repeat( 'a', 32 ) => array( 'DELETE', array( 'GET', 'POST', 'PUT', 'PATCH' ) ),
		) as $route => list( $right, $wrong ) ) {
			foreach ( $wrong as $method ) {
				$response = rest_do_request( new \WP_REST_Request( $method, '/lianmai/v1/' . $route ) );
				$this->assertSame( array( 405, $right ), array( $response->get_status(), $response->get_headers()['Allow'] ) );
			}
		}
	}

	public function test_without_a_secret_there_is_no_relay(): void {
		self::set_server( self::$upstream->url, array( 'kind' => 'lianmai' ) );
		$this->assertSame( 404, self::offer( Token::mint( 1, 'live/a', 'publish' ) )->get_status() );
	}

	private static function request(): \WP_REST_Request {
		$request = new \WP_REST_Request( 'POST', '/lianmai/v1/whip' );
		$request->set_header( 'Content-Type', 'application/sdp' );
		$request->set_body( self::OFFER );
		return $request;
	}

	private static function offer( string $token ): \WP_REST_Response {
		$request = self::request();
		$request->set_header( 'Authorization', 'Bearer ' . $token );
		return rest_do_request( $request );
	}

	private static function end( string $id ): \WP_REST_Response {
		return rest_do_request( new \WP_REST_Request( 'DELETE', '/lianmai/v1/whip/' . $id ) );
	}

	/** @return array<string, mixed> */
	private static function last(): array {
		$asked = self::$upstream->asked();
		return $asked[ count( $asked ) - 1 ];
	}

	private function assert_no_secret( \WP_REST_Response $response ): void {
		$all = wp_json_encode( array( $response->get_data(), $response->get_headers() ), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES );
		foreach ( array( '2f"9', '2f\"9', '2f%229', '2f&quot;9' ) as $part ) {
			$this->assertStringNotContainsString( $part, (string) $all );
		}
	}
}
