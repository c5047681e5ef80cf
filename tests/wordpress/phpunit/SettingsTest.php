<?php
/**
 * The settings, their page, and what Site Health tells.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Settings;
use Lianmai\SettingsPage;
use Lianmai\SiteHealth;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Upstream.php';

final class SettingsTest extends Site {
	/** @dataProvider addresses */
	public function test_addresses_are_cleaned( string $given, string $kept ): void {
		self::set_server( $given );
		$this->assertSame( $kept, Settings::server() );
	}

	/** @return array<int, array{string, string}> */
	public static function addresses(): array {
		return array(
			array( ' https://Live.Example.com/ ', 'https://live.example.com' ),
			array( 'live.example.com:8443', 'https://live.example.com:8443' ),
			array( 'http://127.0.0.1:8080//', 'http://127.0.0.1:8080' ),
			array( 'http://[::1]:8080/a/b/', 'http://[::1]:8080/a/b' ),
			array( 'https://live.example.com/?secret=x#y', 'https://live.example.com' ),
			array( 'https://user:secret@live.example.com', '' ),
			array( 'javascript:alert(1)', '' ),
			array( 'ftp://live.example.com', '' ),
			array( 'live.example.com', 'https://live.example.com' ),
			array( 'live.example.com:8443', 'https://live.example.com:8443' ),
			array( 'live.example.com:8080', 'http://live.example.com:8080' ),
			array( '127.0.0.1:9000', 'http://127.0.0.1:9000' ),
			array( 'localhost', 'http://localhost' ),
			array( 'localhost.example.com', 'https://localhost.example.com' ),
			array( 'https://live.example.com/"><script>', '' ),
			array( "https://live.example.com\r\nX: y", '' ),
			array( 'https://', '' ),
			array( 'https:///live', '' ),
			array( 'https://live.example.com:99999', '' ),
			// Of a stream or a page: the server's part.
			array( 'https://live.example.com/live/livestream.flv', 'https://live.example.com' ),
			array( 'https://live.example.com:8443/live/livestream.m3u8?token=x', 'https://live.example.com:8443' ),
			array( 'https://live.example.com/live/livestream/whip', 'https://live.example.com' ),
			array( 'https://live.example.com/live/livestream/whep/', 'https://live.example.com' ),
			array( 'https://live.example.com/live/livestream', 'https://live.example.com' ),
			array( 'https://live.example.com/video/live/livestream.ts', 'https://live.example.com/video' ),
			array( 'http://live.example.com:1985/rtc/v1/whip/?app=live&stream=x', 'http://live.example.com:1985' ),
			array( 'http://live.example.com:1985/api/v1/versions', 'http://live.example.com:1985' ),
			array( 'https://live.example.com/players/srs_player.html', 'https://live.example.com' ),
			array( 'https://live.example.com/srs-player.js', 'https://live.example.com' ),
			array( 'webrtc://live.example.com/live/livestream', 'https://live.example.com' ),
			array( 'webrtc://127.0.0.1:8080/live/livestream?secret=x', 'http://127.0.0.1:8080' ),
			array( 'ws://live.example.com:8080/live/livestream.flv', 'http://live.example.com:8080' ),
			array( 'wss://live.example.com/live/livestream.flv', 'https://live.example.com' ),
			array( 'live.example.com/live/livestream.flv', 'https://live.example.com' ),
			array( 'rtmp://live.example.com/live', '' ),
			array( 'rtmps://live.example.com/live/livestream', '' ),
		);
	}

	public function test_what_is_wrong_is_said_and_the_old_one_stays(): void {
		self::set_server( 'https://live.example.com' );
		self::set_server( 'javascript:x', array( 'audience' => "a\nb" ) );
		$this->assertSame( array( 'https://live.example.com', 'lianmai' ), array( Settings::server(), Settings::audience() ) );
		$this->assertSame( array( 'lianmai_server', 'lianmai_audience' ), array_column( get_settings_errors( Settings::OPTION ), 'code' ) );
	}

	/** A stream's address is no server's: what becomes of it is said. */
	public function test_the_address_of_a_stream_is_cut_with_words(): void {
		$said = static function ( string $given ): array {
			$GLOBALS['wp_settings_errors'] = array();
			self::set_server( 'https://old.example.com' );
			self::set_server( $given );
			$errors = get_settings_errors( Settings::OPTION );
			return array( Settings::server(), $errors[0]['type'] ?? '', $errors[0]['message'] ?? '' );
		};
		foreach ( array( 'https://live.example.com/live/livestream.flv', 'webrtc://live.example.com/live/livestream', 'https://live.example.com/live/livestream' ) as $given ) {
			list( $kept, $type, $message ) = $said( $given );
			$this->assertSame( array( 'https://live.example.com', 'warning' ), array( $kept, $type ), $given );
			$this->assertStringContainsString( 'https://live.example.com', $message );
		}
		list( $kept, $type, $message ) = $said( 'rtmp://live.example.com/live' );
		$this->assertSame( array( 'https://old.example.com', 'error' ), array( $kept, $type ) );
		$this->assertStringContainsString( 'rtmp://', $message );
		// It may be right: a proxy puts servers below a path.
		list( $kept, $type, $message ) = $said( 'https://live.example.com/app/name' );
		$this->assertSame( array( 'https://live.example.com/app/name', 'warning' ), array( $kept, $type ) );
		$this->assertStringContainsString( 'https://live.example.com/app/name/live/livestream', $message );
		$this->assertSame( array( 'https://live.example.com', '', '' ), $said( 'https://live.example.com/' ) );
		$this->assertStringContainsString( 'url="https://h.example/live/a/whep"', do_shortcode( '[srs_player stream="live/a" server="https://h.example/live/b.flv"]' ) );
	}

	/** A server that is neither: nothing is sent to it, and the page shows what it needs alone. */
	public function test_another_kind_of_server_gets_nothing(): void {
		self::set_server( 'https://live.example.com', array( 'kind' => 'other', 'play_tokens' => '1', 'secret' => 'swordfish' ) );
		$html = self::in_post( '[srs_player stream="live/a"][srs_publisher stream="live/a"]' );
		$this->assertStringContainsString( 'url="https://live.example.com/live/a/whep"', $html );
		$this->assertStringContainsString( 'url="https://live.example.com/live/a/whip"', $html );
		$this->assertStringNotContainsString( 'data-token', $html );
		$this->assertSame( 1, substr_count( $html, 'data-ticket' ), 'Who sees the publisher is asked.' );
		$this->assertStringNotContainsString( 'swordfish', $html );
		self::log_in( self::person( 'administrator' ) );
		$page = self::page();
		$this->assertStringContainsString( 'data-kind="other"', $page );
		$this->assertStringNotContainsString( '--auth-jwks', $page );
		$this->assertStringContainsString( esc_html( '[srs_player stream="live/livestream"]' ), $page );
	}

	/** The first thing after activation is an address, and then a line to paste. */
	public function test_the_page_leads_from_the_address_to_a_line_to_paste(): void {
		self::log_in( self::person( 'administrator' ) );
		$page = self::page();
		$this->assertStringContainsString( 'in three steps', $page );
		$this->assertStringNotContainsString( '[srs_player', $page );
		self::set_server( 'https://live.example.com' );
		$page = self::page();
		$this->assertStringNotContainsString( 'in three steps', $page );
		foreach ( array( 'player', 'publisher' ) as $who ) {
			$this->assertStringContainsString( esc_html( "[srs_$who stream=\"live/livestream\"]" ), $page );
		}
		$this->assertStringContainsString( 'lianmai_begin=1', $page );
		$_GET['lianmai_begin'] = '1';
		$new                   = get_default_post_to_edit( 'page' );
		unset( $_GET['lianmai_begin'] );
		$this->assertSame( array( 'lianmai/player', 'lianmai/publisher' ), array_values( array_filter( array_column( parse_blocks( $new->post_content ), 'blockName' ) ) ) );
		$this->assertSame( '', get_default_post_to_edit( 'page' )->post_content );
	}

	/** As themes with infinite scroll need it. */
	public function test_the_script_for_every_page_is_off_unless_set(): void {
		$this->assertFalse( Settings::everywhere() );
		self::set_server( 'https://live.example.com', array( 'everywhere' => '1' ) );
		$this->assertTrue( Settings::everywhere() );
		self::set_server( 'https://live.example.com' );
		$this->assertFalse( Settings::everywhere() );
	}

	public function test_garbage_of_any_kind_becomes_settings(): void {
		foreach ( array( 'text', 7, null, new \stdClass(), array( 'server' => array( 'x' ), 'kind' => array(), 'audience' => new \stdClass(), 'prefix' => array( 'x' ), 'secret' => array( 'x' ), 'api' => 5, 'else' => 1 ) ) as $garbage ) {
			update_option( Settings::OPTION, $garbage );
			$this->assertSame( array( '', 'lianmai', '', 'lianmai', false ), array( Settings::server(), Settings::kind(), Settings::secret(), Settings::audience(), Settings::play_tokens() ) );
			$this->assertSame( array( 'server', 'kind', 'api', 'audience', 'prefix', 'play_tokens', 'autoplay' ), array_keys( get_option( Settings::OPTION ) ) );
		}
	}

	public function test_a_secret_is_kept_apart_for_its_server_alone(): void {
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'secret' => 'swordfish' ) );
		$this->assertSame( 'swordfish', Settings::secret() );
		$this->assertStringNotContainsString( 'swordfish', (string) wp_json_encode( get_option( Settings::OPTION ) ) );
		$this->assertArrayNotHasKey( Settings::SECRET, wp_load_alloptions( true ) );
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'secret' => '' ) );
		$this->assertSame( 'swordfish', Settings::secret(), 'An empty field changes nothing.' );
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'secret' => 'two words' ) );
		$this->assertSame( 'swordfish', Settings::secret() );
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'api' => 'https://thief.example' ) );
		$this->assertSame( '', Settings::secret() );
		self::set_server( 'https://a.example', array( 'kind' => 'secret' ) );
		$this->assertSame( '', Settings::secret(), 'It was forgotten.' );
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'secret' => 'again' ) );
		self::set_server( 'https://a.example', array( 'kind' => 'secret', 'forget_secret' => '1' ) );
		$this->assertFalse( get_option( Settings::SECRET ) );
	}

	public function test_the_page_shows_everything_but_the_secret(): void {
		self::set_server( 'https://live.example.com', array( 'kind' => 'secret', 'secret' => 'swordfish' ) );
		self::log_in( self::person( 'administrator' ) );
		$page = self::page();
		$this->assertStringContainsString( 'https://live.example.com', $page );
		$this->assertStringContainsString( 'A secret is set.', $page );
		self::set_server( 'https://live.example.com', array( 'play_tokens' => '1', 'audience' => 'other' ) );
		$page .= self::page();
		$this->assertStringContainsString( esc_html( 'lianmai serve --public --auth-jwks ' . rest_url( 'lianmai/v1/jwks' ) . ' --auth-issuer ' . home_url() . ' --auth-audience other --auth-play' ), $page );
		$information = wp_json_encode( SiteHealth::information( array() ) );
		$this->assertStringNotContainsString( 'swordfish', $page . $information );
		self::log_in( self::person( 'editor' ) );
		$this->assertSame( '', self::page() );
	}

	/** On a gateway of several sites each has its own streams. */
	public function test_a_prefix_goes_into_the_line_for_the_gateway(): void {
		self::log_in( self::person( 'administrator' ) );
		self::set_server( 'https://live.example.com' );
		$this->assertStringContainsString( 'give each a prefix', self::page() );
		self::set_server( 'https://live.example.com', array( 'prefix' => ' /news/= ' ) );
		$this->assertSame( 'news', Settings::prefix() );
		$page  = self::page();
		$entry = 'news/=' . rest_url( 'lianmai/v1/jwks' );
		$this->assertStringContainsString( esc_html( '"' . $entry . '"' ), $page );
		$this->assertStringContainsString( esc_html( "lianmai serve --public --auth-jwks '" . $entry . "'" ), $page );
		$this->assertStringNotContainsString( '--auth-issuer', $page, 'It would shut the other sites out.' );
		$this->assertStringContainsString( esc_html( '[srs_publisher stream="news/livestream"]' ), $page );
		$request = new \WP_REST_Request( 'POST', '/lianmai/v1/test/token' );
		foreach ( array( 'news/lianmai-test/0123456789abcdef' => 200, 'lianmai-test/0123456789abcdef' => 400, 'news/live' => 400 ) as $stream => $status ) {
			$request->set_body_params( array( 'stream' => $stream, 'act' => 'publish' ) );
			$this->assertSame( $status, rest_do_request( $request )->get_status(), $stream );
		}
		foreach ( array( 'a b', 'news/../x', 'https://x', 'ä', '.', str_repeat( 'x', 200 ) ) as $wrong ) {
			self::set_server( 'https://live.example.com', array( 'prefix' => $wrong ) );
			$this->assertSame( 'news', Settings::prefix(), $wrong );
		}
		self::set_server( 'https://live.example.com', array( 'prefix' => 'a/b', 'kind' => 'secret' ) );
		$this->assertSame( '', Settings::prefix(), 'Servers without tokens know none.' );
		self::set_server( 'https://live.example.com', array( 'prefix' => '' ) );
		$this->assertSame( '', Settings::prefix() );
	}

	/** Otherwise Site Health would call a gateway that trusts the site one that does not. */
	public function test_site_health_knocks_below_the_prefix(): void {
		$server = new Upstream( 'http_response_code( isset( $_SERVER["HTTP_AUTHORIZATION"] ) ? 400 : 401 );' );
		self::set_server( $server->url, array( 'prefix' => 'news' ) );
		SiteHealth::trust();
		$asked = $server->asked();
		$server->stop();
		$this->assertMatchesRegularExpression( '#^/news/lianmai-test/[0-9a-f]{16}/whip$#', $asked[0]['uri'] );
	}

	public function test_the_box_for_players_that_begin_by_themselves(): void {
		self::log_in( self::person( 'administrator' ) );
		$this->assertFalse( Settings::autoplay() );
		$this->assertMatchesRegularExpression( '~name="lianmai_settings\[autoplay\]" value="1">~', self::page() );
		self::set_server( 'https://live.example.com', array( 'autoplay' => '1' ) );
		$this->assertTrue( Settings::autoplay() );
		$this->assertMatchesRegularExpression( "~name=\"lianmai_settings\\[autoplay\\]\" value=\"1\" +checked='checked'>~", self::page() );
		// As the form is without the tick.
		self::set_server( 'https://live.example.com' );
		$this->assertFalse( Settings::autoplay() );
	}

	public function test_a_server_may_take_offers_elsewhere_than_it_plays_from(): void {
		self::set_server( 'http://srs.example:8080', array( 'kind' => 'secret', 'api' => 'http://srs.example:1985', 'secret' => 'swordfish' ) );
		$this->assertStringContainsString( 'url="http://srs.example:1985/rtc/v1/whep/?app=live&#038;stream=a"', str_replace( '&amp;', '&#038;', do_shortcode( '[srs_player stream="live/a"]' ) ) );
		$this->assertStringContainsString( 'url="http://srs.example:8080/live/a.flv"', do_shortcode( '[srs_player stream="live/a" protocol="flv"]' ) );
		$page = self::in_post( '[srs_publisher stream="live/a"]' );
		$this->assertStringContainsString( esc_url( rest_url( 'lianmai/v1/whip' ) ), $page );
		$this->assertStringNotContainsString( 'swordfish', $page );
		self::set_server( 'http://srs.example:8080', array( 'api' => 'http://srs.example:1985' ) );
		$this->assertStringContainsString( 'url="http://srs.example:8080/live/a/whep"', do_shortcode( '[srs_player stream="live/a"]' ) );
	}

	/** @dataProvider places */
	public function test_site_health_asks_for_https_where_browsers_do( string $home, string $server, string $status ): void {
		$is = static function () use ( $home ): string {
			return $home;
		};
		add_filter( 'home_url', $is );
		self::set_server( $server );
		$result = SiteHealth::https();
		remove_filter( 'home_url', $is );
		$this->assertSame( $status, $result['status'] );
	}

	/** @return array<int, array{string, string, string}> */
	public static function places(): array {
		return array(
			array( 'https://site.example', 'https://live.example', 'good' ),
			array( 'https://site.example', 'http://live.example', 'critical' ),
			array( 'http://site.example', 'https://live.example', 'recommended' ),
			array( 'http://localhost:8888', 'http://127.0.0.1:8080', 'good' ),
		);
	}

	/** @dataProvider times */
	public function test_site_health_asks_the_server_for_the_time( int $ahead, string $status ): void {
		$server = new Upstream( 'header( "Date: " . gmdate( "D, d M Y H:i:s", time() + ' . $ahead . ' ) . " GMT" ); echo \'{"code":0,"server":"lianmai","data":{"version":"0.1.0"}}\';' );
		self::set_server( $server->url );
		$result = SiteHealth::gateway();
		$server->stop();
		$this->assertSame( $status, $result['status'] );
	}

	/** @return array<int, array{int, string}> */
	public static function times(): array {
		return array( array( 0, 'good' ), array( 60, 'critical' ), array( -60, 'critical' ) );
	}

	/** @dataProvider doors */
	public function test_site_health_finds_out_whether_the_server_trusts_us( string $script, string $label ): void {
		$server = new Upstream( $script );
		self::set_server( $server->url );
		$result = SiteHealth::trust();
		$asked  = $server->asked();
		$server->stop();
		$this->assertStringContainsString( $label, $result['label'] );
		$this->assertMatchesRegularExpression( '#^/lianmai-test/[0-9a-f]{16}/whip$#', $asked[0]['uri'] );
		$this->assertStringStartsNotWith( 'v=0', $asked[0]['body'], 'Nothing that could publish.' );
	}

	/** @return array<int, array{string, string}> */
	public static function doors(): array {
		return array(
			array( 'http_response_code( isset( $_SERVER["HTTP_AUTHORIZATION"] ) ? 400 : 401 );', 'trusts this site’s key' ),
			array( 'http_response_code( 400 );', 'Anybody may publish' ),
			array( 'http_response_code( 403 );', 'does not trust' ),
			array( 'http_response_code( 500 );', 'is not known' ),
		);
	}

	public function test_only_administrators_test_and_check(): void {
		foreach ( array( 0, self::person( 'author' ), self::person( 'editor' ) ) as $person ) {
			wp_set_current_user( $person );
			foreach ( array( 'POST' => array( 'test/server', 'test/token' ), 'GET' => array( 'health/gateway', 'health/secrets', 'health/trust', 'health/files', 'health/rest' ) ) as $method => $routes ) {
				foreach ( $routes as $route ) {
					$request = new \WP_REST_Request( $method, '/lianmai/v1/' . $route );
					$request->set_query_params( array( 'stream' => 'lianmai-test/0123456789abcdef', 'act' => 'publish' ) );
					$this->assertContains( rest_do_request( $request )->get_status(), array( 401, 403 ), $route );
				}
			}
		}
		wp_set_current_user( self::person( 'administrator' ) );
		foreach ( array( 'lianmai-test/0123456789abcdef' => 200, 'live/livestream' => 400, 'lianmai-test/0123456789abcdef/x' => 400 ) as $stream => $status ) {
			$request = new \WP_REST_Request( 'POST', '/lianmai/v1/test/token' );
			$request->set_body_params( array( 'stream' => $stream, 'act' => 'publish' ) );
			$this->assertSame( $status, rest_do_request( $request )->get_status(), $stream );
		}
	}

	/** What a post makes of a text. */
	private static function in_post( string $content ): string {
		$before          = $GLOBALS['post'] ?? null;
		$GLOBALS['post'] = get_post( self::post() );
		$html            = do_shortcode( $content );
		$GLOBALS['post'] = $before;
		return $html;
	}

	private static function page(): string {
		global $wp_settings_fields;
		$wp_settings_fields = array();
		\Lianmai\SettingsFields::announce();
		ob_start();
		SettingsPage::show();
		return (string) ob_get_clean();
	}
}
