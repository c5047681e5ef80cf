<?php
/**
 * Elements in and outside of posts.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Ticket;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Markup.php';

final class HolderTest extends Site {
	/** @var array<string, mixed> What the request before left. */
	private $before = array();

	protected function setUp(): void {
		parent::setUp();
		self::set_server( 'https://live.example.test', array( 'play_tokens' => '1' ) );
		$this->before = array( $GLOBALS['wp_query'], $GLOBALS['wp_the_query'], $GLOBALS['post'] ?? null, $GLOBALS['wp_actions'] );
		unset( $GLOBALS['wp_actions']['template_redirect'] );
		$GLOBALS['post'] = null;
	}

	protected function tearDown(): void {
		list( $GLOBALS['wp_query'], $GLOBALS['wp_the_query'], $GLOBALS['post'], $GLOBALS['wp_actions'] ) = $this->before;
		parent::tearDown();
	}

	public function test_outside_of_the_loop_it_is_the_page_that_is_shown(): void {
		$page = self::post( array( 'post_type' => 'page' ) );
		$last = self::post();
		self::visit( array( 'page_id' => $page ) );
		// As a widget that lists posts may leave it.
		$GLOBALS['post'] = get_post( $last );
		$this->assertSame( array( $page, $page ), array( self::held( 'player' ), self::held( 'publisher' ) ) );
		$this->assertSame( $last, self::held( 'player', 'the_content' ) );
	}

	public function test_in_the_loop_it_is_the_post(): void {
		$post = self::post();
		self::visit( array( 'post__in' => array( $post ) ) );
		$this->assertSame( 0, self::held( 'player' ) );
		the_post();
		$this->assertSame( $post, self::held( 'player' ) );
	}

	public function test_on_a_list_it_is_the_front_page_if_that_is_one(): void {
		$front = self::post( array( 'post_type' => 'page' ) );
		self::visit( array( 's' => 'nothing-has-this-word' ) );
		$this->assertSame( 0, self::held( 'player' ) );
		update_option( 'page_on_front', $front );
		$this->assertSame( 0, self::held( 'player' ), 'The front page is a list.' );
		update_option( 'show_on_front', 'page' );
		$this->assertSame( $front, self::held( 'player' ) );
	}

	/** A header on a page that was not found: nobody's post, and the theme's editor placed it. */
	public function test_on_no_page_at_all_everybody_plays_and_the_right_alone_publishes(): void {
		self::visit( array( 'p' => 999999999 ) );
		$play    = self::ticket( 'player' );
		$publish = self::ticket( 'publisher', 'users="nobody-else"' );
		$open    = self::ticket( 'publisher' );
		$this->assertSame( 200, self::ask( 'token', $play )->get_status() );
		$this->assertSame( 401, self::ask( 'token', $open )->get_status() );
		$nonce = self::log_in( self::person( 'contributor' ) );
		$this->assertSame( 403, self::ask( 'token', $open, $nonce )->get_status() );
		$nonce = self::log_in( self::person( 'author' ) );
		$this->assertSame( 200, self::ask( 'token', $open, $nonce )->get_status() );
		$this->assertSame( 403, self::ask( 'token', $publish, $nonce )->get_status() );
		$_COOKIE = array();
		wp_set_current_user( 0 );
		update_option( 'blog_public', '-1' );
		$this->assertSame( 401, self::ask( 'token', $play )->get_status(), 'A plugin made the site private.' );
	}

	/** The editor shows pieces of HTML to whoever may write drafts. */
	public function test_a_piece_of_html_by_the_rest_api_has_no_ticket_of_the_site(): void {
		self::log_in( self::person( 'contributor' ) );
		$request = new \WP_REST_Request( 'GET', '/wp/v2/block-renderer/lianmai/player' );
		$request->set_query_params(
			array(
				'context'    => 'edit',
				'attributes' => array( 'stream' => 'live/members' ),
			)
		);
		$html = rest_do_request( $request )->get_data()['rendered'];
		$this->assertStringContainsString( '<srs-player', $html );
		$this->assertStringNotContainsString( 'data-ticket', $html );
		$this->assertStringNotContainsString( 'data-token', $html );
		$this->assertNull( self::held( 'publisher' ) );
	}

	/** @param array<string, mixed> $query */
	private static function visit( array $query ): void {
		$GLOBALS['wp_query']     = new \WP_Query( $query );
		$GLOBALS['wp_the_query'] = $GLOBALS['wp_query'];
		$GLOBALS['post']         = $GLOBALS['wp_query']->post;
		// What hooks to it would redirect a browser.
		$GLOBALS['wp_actions']['template_redirect'] = 1;
	}

	private static function ticket( string $who, string $more = '', string $filter = '' ): string {
		$written = "[srs_$who stream=\"live/a\" $more]";
		$html    = '' === $filter ? do_shortcode( $written ) : (string) apply_filters( $filter, $written );
		return Markup::element( $html )['data-ticket'] ?? '';
	}

	/** The post that the ticket binds. */
	private static function held( string $who, string $filter = '' ): ?int {
		return Ticket::read( self::ticket( $who, '', $filter ) )['post'] ?? null;
	}
}
