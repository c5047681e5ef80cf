<?php
/**
 * The checklist after a post with live video was published.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Checklist;
use Lianmai\Settings;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Upstream.php';

final class ChecklistTest extends Site {
	/** A gateway that trusts this site, takes RTMP at port 1936, and has `live/on`. */
	private const GATEWAY = 'header( "Date: " . gmdate( "D, d M Y H:i:s" ) . " GMT" ); $path = strtok( $asked["uri"], "?" );
		if ( "/api/v1/versions" === $path ) { echo \'{"code":0,"data":{"version":"0.1.0","rtmp_port":1936}}\'; }
		elseif ( "/api/v1/rooms" === $path ) { echo \'{"code":0,"rooms":[{"name":"open"}]}\'; }
		elseif ( "/whip" === substr( $path, -5 ) ) { http_response_code( isset( $_SERVER["HTTP_AUTHORIZATION"] ) ? 400 : 401 ); }
		elseif ( "/live/closed.flv" === $path ) { http_response_code( 401 ); }
		else { http_response_code( "/live/on.flv" === $path ? 200 : 404 ); }';

	/** The filters of contents: WordPress changes their order when a content has blocks. @var \WP_Hook */
	private $filters;

	/** @var Upstream|null */
	private $gateway;

	protected function setUp(): void {
		parent::setUp();
		$this->filters = clone $GLOBALS['wp_filter']['the_content'];
		// This site cannot ask itself here.
		add_filter( 'pre_http_request', array( self::class, 'answer_for_site' ), 10, 3 );
	}

	protected function tearDown(): void {
		$GLOBALS['wp_filter']['the_content'] = $this->filters;
		remove_filter( 'pre_http_request', array( self::class, 'answer_for_site' ) );
		if ( null !== $this->gateway ) {
			$this->gateway->stop();
		}
		$this->gateway = null;
		parent::tearDown();
	}

	/**
	 * The site's own REST API, as visitors reach it.
	 *
	 * @param mixed  $answer of others.
	 * @param mixed  $args   of the request.
	 * @param string $url    of the request.
	 * @return mixed
	 */
	public static function answer_for_site( $answer, $args, $url ) {
		return 0 !== strpos( $url, rest_url( 'lianmai/v1/' ) ) ? $answer : array(
			'headers'  => array(),
			'body'     => '{"may":false}',
			'response' => array(
				'code'    => 200,
				'message' => 'OK',
			),
			'cookies'  => array(),
			'filename' => null,
		);
	}

	public function test_it_is_for_those_who_may_edit_a_published_post(): void {
		$author = self::person( 'author' );
		$public = self::post( array( 'post_content' => 'Text.', 'post_author' => $author ) );
		$draft  = self::post( array( 'post_content' => '[srs_player stream="live/a"]', 'post_status' => 'draft', 'post_author' => $author ) );
		foreach ( array( 0, self::person( 'subscriber' ), self::person( 'contributor' ), self::person( 'author' ) ) as $person ) {
			wp_set_current_user( $person );
			$this->assertContains( self::check( $public )->get_status(), array( 401, 403 ) );
		}
		foreach ( array( $author, self::person( 'editor' ), self::person( 'administrator' ) ) as $person ) {
			wp_set_current_user( $person );
			$this->assertSame( 200, self::check( $public )->get_status() );
			$this->assertSame( 403, self::check( $draft )->get_status(), 'It is not published.' );
			$this->assertSame( 403, self::check( 987654321 )->get_status() );
		}
		$this->assertSame( array( 'html' => '' ), self::check( $public )->get_data() );
	}

	/** @dataProvider contents */
	public function test_it_finds_what_the_page_will_show( string $content, string $stream ): void {
		$this->start();
		wp_set_current_user( 1 );
		$this->assertStringContainsString( $stream, self::html( $content ) );
	}

	/** @return array<string, array{string, string}> */
	public static function contents(): array {
		return array(
			'a shortcode'           => array( 'Look: [srs_player stream="live/a"]', 'Nobody is live on live/a now' ),
			'with curly quotes'     => array( '[srs_player stream=”live/a”]', 'Nobody is live on live/a now' ),
			'a block'               => array( '<!-- wp:lianmai/publisher {"stream":"live/a"} /-->', 'Nobody is live on live/a now' ),
			'somebody live'         => array( '[srs_player stream="live/on"]', 'Somebody is live on live/on now' ),
			'the server says not'   => array( '[srs_player stream="live/closed"]', 'Whether somebody is live on live/closed is not known' ),
			'a room'                => array( '[srs_room room="friday-show"]', 'The room friday-show is not open now' ),
			'an open room'          => array( '<!-- wp:lianmai/chat {"room":"open"} /-->', 'The room open is open now' ),
			'a room elsewhere'      => array( '[srs_room room="a" server="https://other.example"]', 'https://other.example is not on the server of the settings' ),
			'a mistake'             => array( '[srs_player stream="nonsense"]', 'Lianmai: “nonsense” is not the name of a stream' ),
			'an address elsewhere'  => array( 'webrtc://live.example/live/a?token=swordfish', 'webrtc://live.example/live/a is not on the server of the settings' ),
		);
	}

	public function test_a_synced_pattern_counts_and_other_text_does_not(): void {
		$this->start();
		wp_set_current_user( 1 );
		$pattern = self::post( array( 'post_type' => 'wp_block', 'post_content' => '<!-- wp:lianmai/player {"stream":"live/on"} /-->' ) );
		$this->assertStringContainsString( 'Somebody is live on live/on now', self::html( '<!-- wp:block {"ref":' . $pattern . '} /-->' ) );
		$this->assertSame( '', self::html( 'I write [[srs_player stream="live/a"]] to show a player.' ) );
	}

	public function test_all_is_well_and_says_how_to_go_live(): void {
		$this->start();
		wp_set_current_user( 1 );
		$html = self::html( '[srs_player stream="live/on"][srs_publisher stream="live/on"]' );
		foreach ( array( 'The media server answers', 'The media server trusts this site’s key', 'Visitors can ask this site', 'Somebody is live on live/on now', 'Cameras work' ) as $label ) {
			$this->assertStringContainsString( $label, $html );
		}
		$this->assertSame( array(), array_intersect( self::states( $html ), array( 'problem', 'warning' ) ) );
		$this->assertStringContainsString( '>rtmp://127.0.0.1:1936/live</code>', $html );
		$this->assertStringContainsString( '>on</code>', $html );
		$this->assertStringContainsString( 'data-reach="' . $this->gateway->url . '/srs-player.js" data-mode="cors"', $html );
		// A page that only plays what everybody may play needs no token.
		$this->assertStringNotContainsString( 'trusts', self::html( '[srs_player stream="live/on"]' ) );
		// Nothing that could publish went to the server, and no token of a stream of the site.
		foreach ( $this->gateway->asked() as $asked ) {
			$this->assertContains( $asked['method'], array( 'GET', 'HEAD', 'POST' ) );
			if ( 'POST' === $asked['method'] ) {
				$this->assertStringStartsWith( '/lianmai-test/', $asked['uri'] );
			}
		}
	}

	public function test_a_server_that_is_away_is_named_and_its_error_is_for_administrators(): void {
		self::set_server( 'http://127.0.0.1:9' );
		wp_set_current_user( 1 );
		$html = self::html( '[srs_publisher stream="live/a"]' );
		$this->assertStringContainsString( 'This site cannot reach the media server', $html );
		$this->assertMatchesRegularExpression( '/cURL|connect/i', $html );
		$this->assertStringNotContainsString( 'live on live/a', $html );
		wp_set_current_user( self::person( 'editor' ) );
		$html = self::html( '[srs_publisher stream="live/a"]' );
		$this->assertStringContainsString( 'This site cannot reach the media server', $html );
		$this->assertStringContainsString( 'An administrator can fix this', $html );
		$this->assertDoesNotMatchRegularExpression( '/cURL|Failed to connect/i', $html );
		$this->assertStringNotContainsString( 'options-general.php', $html );
	}

	public function test_an_https_site_with_an_http_server_is_told(): void {
		$this->start();
		wp_set_current_user( 1 );
		$home = static function (): string {
			return 'https://site.example';
		};
		add_filter( 'home_url', $home );
		$here  = self::html( '[srs_player stream="live/on"]' );
		$there = self::html( '[srs_player url="http://live.example/live/a.flv"]' );
		remove_filter( 'home_url', $home );
		$this->assertStringContainsString( 'The media server’s address is not HTTPS, and this site is', $here );
		$this->assertStringContainsString( 'Browsers refuse to load http://live.example/live/a.flv', $there );
		$this->assertStringNotContainsString( 'HTTPS', self::html( '[srs_player stream="live/on"]' ), 'Playing works without.' );
	}

	public function test_a_gateway_that_does_not_trust_the_site_is_told(): void {
		$this->start( 'echo \'{"code":0,"data":{"version":"1"}}\'; if ( "POST" === $asked["method"] ) { http_response_code( 403 ); }' );
		wp_set_current_user( 1 );
		$html = self::html( '[srs_publisher stream="live/a"]' );
		$this->assertStringContainsString( 'The media server does not trust this site’s key', $html );
		$this->assertContains( 'problem', self::states( $html ) );
		$this->assertStringContainsString( '>rtmp://127.0.0.1/live</code>', $html, 'The usual port, where the server does not tell.' );
	}

	public function test_a_stream_outside_of_the_sites_prefix_is_told(): void {
		$this->start( self::GATEWAY, array( 'prefix' => 'news' ) );
		wp_set_current_user( 1 );
		$this->assertStringContainsString( 'live/on is not a stream of this site: those begin with news/', self::html( '[srs_publisher stream="live/on"]' ) );
		$this->assertStringNotContainsString( 'is not a stream of this site', self::html( '[srs_publisher stream="news/on"]' ) );
		$this->assertStringNotContainsString( 'is not a stream of this site', self::html( '[srs_player stream="live/on"]' ), 'Everybody may play it.' );
	}

	public function test_no_secret_is_in_it(): void {
		$this->start(
			'if ( 0 === strpos( $asked["uri"], "/api/v1/streams" ) ) { echo \'{"code":0,"streams":[{"app":"live","name":"on","publish":{"active":true}},{"app":"live","name":"off","publish":{"active":false}}]}\'; } else { echo \'{"code":0,"data":{"version":"6"}}\'; }',
			array( 'kind' => 'secret', 'secret' => 'swordfish' )
		);
		$this->assertSame( 'swordfish', Settings::secret() );
		wp_set_current_user( 1 );
		$html = self::html( "[srs_publisher url=\"webrtc://127.0.0.1/live/on?secret=swordfish\"]\n\n[srs_publisher stream=\"live/on\"]\n\n[srs_player stream=\"live/off\"]" );
		$this->assertStringContainsString( 'Somebody is live on live/on now', $html );
		$this->assertStringContainsString( 'Nobody is live on live/off now', $html );
		$this->assertStringContainsString( 'The media server’s secret is set', $html );
		$this->assertStringNotContainsString( 'swordfish', $html );
		$this->assertStringNotContainsString( 'swordfish', (string) wp_json_encode( $this->gateway->asked() ) );
		foreach ( array( 'data-ticket', 'eyJ' ) as $sign ) {
			$this->assertStringNotContainsString( $sign, $html );
		}
	}

	public function test_another_kind_of_server_is_not_asked(): void {
		$this->start( 'http_response_code( 500 );', array( 'kind' => 'other' ) );
		wp_set_current_user( 1 );
		$html = self::html( '[srs_publisher stream="live/a"]' );
		$this->assertSame( array(), $this->gateway->asked() );
		$this->assertStringContainsString( 'data-mode="no-cors"', $html );
		$this->assertStringContainsString( '>' . $this->gateway->url . '/live/a/whip</code>', $html );
	}

	public function test_it_is_asked_so_often_and_no_more(): void {
		wp_set_current_user( 1 );
		$post = self::post( array( 'post_content' => 'Text.' ) );
		$last = 0;
		// The count begins anew with each minute, and one may end now.
		for ( $n = 0; $n < 50 && 429 !== $last; $n++ ) {
			$last = self::check( $post )->get_status();
		}
		$this->assertSame( 429, $last );
	}

	public function test_the_post_that_was_current_is_so_afterwards(): void {
		wp_set_current_user( 1 );
		$GLOBALS['post'] = get_post( self::post() );
		$before          = $GLOBALS['post']->ID;
		self::html( '[srs_player stream="live/a"]' );
		$this->assertSame( $before, get_the_ID() );
		unset( $GLOBALS['post'] );
	}

	/** The notice of the classic editor: after publishing, to those who may edit, where there is live video. */
	public function test_the_classic_editor_shows_it_after_publishing(): void {
		$live = self::post( array( 'post_content' => '[srs_player stream="live/a"]' ) );
		wp_set_current_user( 1 );
		$this->assertSame( '', self::notice( $live, '' ) );
		$this->assertSame( '', self::notice( $live, '10' ), 'A draft was saved.' );
		$this->assertSame( '', self::notice( self::post(), '6' ), 'There is no live video.' );
		foreach ( array( '6', '1' ) as $message ) {
			$notice = self::notice( $live, $message );
			$this->assertStringContainsString( 'data-post="' . $live . '"', $notice );
			$this->assertStringContainsString( 'is-dismissible', $notice );
		}
		$this->assertTrue( wp_script_is( 'lianmai-checklist' ) );
		wp_set_current_user( self::person( 'author' ) );
		$this->assertSame( '', self::notice( $live, '6' ) );
	}

	/** @param array<string, mixed> $settings */
	private function start( string $script = self::GATEWAY, array $settings = array() ): void {
		$this->gateway = new Upstream( $script );
		self::set_server( $this->gateway->url, $settings );
	}

	private static function check( int $post ): \WP_REST_Response {
		$request = new \WP_REST_Request( 'POST', '/lianmai/v1/checklist' );
		$request->set_body_params( array( 'post' => $post ) );
		return rest_do_request( $request );
	}

	/** The list of a post with a content. */
	private static function html( string $content ): string {
		$answer = self::check( self::post( array( 'post_content' => $content, 'post_author' => get_current_user_id() ) ) );
		self::assertSame( 200, $answer->get_status() );
		return $answer->get_data()['html'];
	}

	/** @return string[] */
	private static function states( string $html ): array {
		preg_match_all( '/<li data-state="([a-z]+)"/', $html, $found );
		return $found[1];
	}

	private static function notice( int $post, string $message ): string {
		set_current_screen( 'post' );
		get_current_screen()->is_block_editor( false );
		$GLOBALS['post'] = get_post( $post );
		$_GET['message'] = $message;
		ob_start();
		Checklist::in_classic_editor();
		unset( $_GET['message'], $GLOBALS['post'] );
		set_current_screen( 'front' );
		return (string) ob_get_clean();
	}
}
