<?php
/**
 * Elements in loops over other posts, and in texts that no post holds.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Ticket;

require_once __DIR__ . '/support/Site.php';

/** Nobody who may write drafts gets a ticket for a post that somebody else published. */
final class LoopTest extends Site {
	private const PLAYER = '<!-- wp:lianmai/player {"stream":"board/secret"} /-->';

	/** @var array<string, mixed> What the request before left. */
	private $before = array();

	/** @var int A post of the administrator. */
	private $published = 0;

	/** @var int */
	private $contributor = 0;

	protected function setUp(): void {
		parent::setUp();
		self::set_server( 'https://live.example.test', array( 'play_tokens' => '1' ) );
		$this->before      = array( $GLOBALS['wp_query'], $GLOBALS['wp_the_query'], $GLOBALS['post'] ?? null, $GLOBALS['wp_actions'] );
		$this->published   = self::post( array( 'post_content' => 'Published. [srs_player stream="live/own"]' ) );
		$this->contributor = self::person( 'contributor' );
	}

	protected function tearDown(): void {
		list( $GLOBALS['wp_query'], $GLOBALS['wp_the_query'], $GLOBALS['post'], $GLOBALS['wp_actions'] ) = $this->before;
		remove_all_filters( 'wp_doing_ajax' );
		remove_shortcode( 'again' );
		parent::tearDown();
	}

	/** Drafts that name a stream of somebody else, and what they show besides. @return array<string, array{string}> */
	public static function drafts(): array {
		$player = self::PLAYER;
		$loop   = static function ( string $inside, string $more = '' ): string {
			return '<!-- wp:query {"queryId":1,"query":{"perPage":3,"postType":"post","inherit":false' . $more . '}} --><div class="wp-block-query">'
				. '<!-- wp:post-template -->' . $inside . '<!-- /wp:post-template --></div><!-- /wp:query -->';
		};
		return array(
			'query loop'                 => array( $loop( $player ) ),
			'query loop, publisher'      => array( $loop( '<!-- wp:lianmai/publisher {"stream":"board/secret"} /-->' ) ),
			'query loop, in a group'     => array( $loop( '<!-- wp:group --><div class="wp-block-group">' . $player . '</div><!-- /wp:group -->' ) ),
			'nested loops'               => array( $loop( $loop( $player ) ) ),
			'after the content of others' => array( $loop( '<!-- wp:post-content /-->' . $player ) ),
			'in a shortcode that runs the filter again' => array( $loop( '<!-- wp:test/again /-->' ) ),
			'latest posts beside'        => array( '<!-- wp:latest-posts {"displayPostContent":true,"displayPostContentRadio":"full_post"} /-->' . $player ),
			'alone'                      => array( $player ),
			'shortcode'                  => array( '[srs_player stream="board/secret"]' ),
			'shortcode in a loop'        => array( $loop( '<!-- wp:shortcode -->[srs_player stream="board/secret"]<!-- /wp:shortcode -->' ) ),
			'shortcode in a shortcode'   => array( '[again][srs_player stream="board/secret"][/again]' ),
			'address'                    => array( "webrtc://live.example.test/board/secret" ),
			'embed in a loop'            => array( $loop( "<!-- wp:embed -->\nhttps://live.example.test/board/secret.m3u8\n<!-- /wp:embed -->" ) ),
			'video'                      => array( '[video src="https://live.example.test/board/secret.m3u8"]' ),
		);
	}

	/** @dataProvider drafts */
	public function test_a_draft_gives_its_author_no_way_to_a_stream( string $content ): void {
		$this->with_texts_that_run_again();
		$draft = self::post(
			array(
				'post_status'  => 'draft',
				'post_author'  => $this->contributor,
				'post_content' => $content,
			)
		);
		$nonce = self::log_in( $this->contributor );
		foreach ( array( $this->by_rest( "/wp/v2/posts/$draft" ), self::previewed( $draft ), self::set_up( $draft ) ) as $how => $html ) {
			foreach ( self::tickets( $html ) as $ticket ) {
				$bound = Ticket::read( $ticket );
				$this->assertNotNull( $bound );
				if ( 'board/secret' === $bound['stream'] ) {
					$this->assertSame( $draft, $bound['post'], "$how: $html" );
				}
				$answer = self::ask( 'token', $ticket, $nonce )->get_data();
				$this->assertTrue( ! isset( $answer['token'] ) || 'live/own' === $bound['stream'], $html );
			}
		}
		// Published by somebody who looked at it, it plays, but for what is in the loop.
		wp_update_post(
			array(
				'ID'          => $draft,
				'post_status' => 'publish',
			)
		);
		foreach ( self::tickets( self::previewed( $draft ) ) as $ticket ) {
			$bound = Ticket::read( $ticket );
			// "Latest posts" puts the text of others into this one's.
			$this->assertContains( $bound['post'], 'board/secret' === $bound['stream'] ? array( $draft ) : array( $draft, $this->published ) );
		}
	}

	/** The content of others in a loop has the tickets of those posts; the same goes for lists by REST. */
	public function test_content_of_others_keeps_its_tickets(): void {
		$page = self::post( array( 'post_content' => '<!-- wp:query {"queryId":1,"query":{"perPage":1,"postType":"post","inherit":false}} --><div class="wp-block-query"><!-- wp:post-template --><!-- wp:post-content /--><!-- /wp:post-template --></div><!-- /wp:query -->', 'post_type' => 'page' ) );
		foreach ( array( self::previewed( $page ), $this->by_rest( "/wp/v2/posts/{$this->published}" ) ) as $html ) {
			$bound = array_map( array( Ticket::class, 'read' ), self::tickets( $html ) );
			$this->assertSame( array( array( $this->published, 'live/own' ) ), array_map( static function ( array $one ): array { return array( $one['post'], $one['stream'] ); }, $bound ), $html );
		}
	}

	/** A post of several pages, and one with a teaser, hold their elements on each. */
	public function test_pages_and_teasers_belong_to_their_post(): void {
		$content = "[srs_player stream=\"live/one\"]\n\n<!--more-->\n\n[srs_player stream=\"live/two\"]\n\n<!--nextpage-->\n\n[srs_player stream=\"live/three\"]";
		$post    = self::post( array( 'post_content' => $content ) );
		$outer   = self::post( array( 'post_content' => '[again]x[/again]' ) );
		$streams = static function ( array $query ) use ( $post ): array {
			self::visit( $query );
			the_post();
			ob_start();
			the_content();
			$bound = array_map( array( Ticket::class, 'read' ), self::tickets( (string) ob_get_clean() ) );
			foreach ( $bound as $one ) {
				self::assertSame( $post, $one['post'] );
			}
			return array_column( $bound, 'stream' );
		};
		$this->assertSame( array( 'live/one', 'live/two' ), $streams( array( 'p' => $post ) ) );
		$this->assertSame( array( 'live/three' ), $streams( array( 'p' => $post, 'page' => 2 ) ) );
		$this->assertSame( array( 'live/one' ), $streams( array( 'post__in' => array( $post ) ) ) );
		// The same in the content of another post.
		add_shortcode(
			'again',
			static function () use ( $streams, $post ): string {
				return implode( ' ', array_merge( $streams( array( 'p' => $post ) ), $streams( array( 'post__in' => array( $post ) ) ) ) );
			}
		);
		$this->assertStringContainsString( 'live/one live/two live/one', self::previewed( $outer ) );
	}

	/** A synced pattern and a template part belong to the post that shows them. */
	public function test_patterns_belong_to_the_post_that_shows_them(): void {
		$pattern = self::post( array( 'post_type' => 'wp_block', 'post_content' => self::PLAYER ) );
		$post    = self::post( array( 'post_content' => '<!-- wp:block {"ref":' . $pattern . '} /-->' ) );
		$bound   = array_map( array( Ticket::class, 'read' ), self::tickets( self::previewed( $post ) ) );
		$this->assertSame( array( $post ), array_column( $bound, 'post' ) );
		$draft = self::post( array( 'post_status' => 'draft', 'post_author' => $this->contributor, 'post_content' => '<!-- wp:block {"ref":' . $pattern . '} /-->' ) );
		$nonce = self::log_in( $this->contributor );
		foreach ( self::tickets( $this->by_rest( "/wp/v2/posts/$draft" ) ) as $ticket ) {
			$this->assertSame( 403, self::ask( 'token', $ticket, $nonce )->get_status() );
		}
	}

	/** WordPress makes players of [video] for whoever is logged in, in the name of any post. */
	public function test_pieces_by_ajax_have_no_tickets(): void {
		self::log_in( self::person( 'subscriber' ) );
		add_filter( 'wp_doing_ajax', '__return_true' );
		set_current_screen( 'dashboard' );
		self::make_current( $this->published );
		$html = do_shortcode( '[video src="https://live.example.test/board/secret.m3u8"]' );
		$GLOBALS['current_screen'] = null;
		$this->assertStringContainsString( '<srs-player', $html );
		$this->assertSame( array(), self::tickets( $html ) );
	}

	/** A page that lists somebody's own drafts, by a theme that leaves the filter out. */
	public function test_drafts_on_a_published_page_stay_drafts(): void {
		$draft = self::post( array( 'post_status' => 'draft', 'post_author' => $this->contributor, 'post_content' => '[srs_player stream="board/secret"]' ) );
		$page  = self::post( array( 'post_type' => 'page' ) );
		$nonce = self::log_in( $this->contributor );
		self::visit( array( 'page_id' => $page ) );
		the_post();
		self::make_current( $draft );
		$html = do_shortcode( get_the_content() ) . do_shortcode( '[srs_player stream="board/secret"]' );
		foreach ( self::tickets( $html ) as $ticket ) {
			$this->assertSame( $draft, Ticket::read( $ticket )['post'] );
			$this->assertSame( 403, self::ask( 'token', $ticket, $nonce )->get_status() );
		}
	}

	public function test_revisions_and_comments_have_no_tickets(): void {
		$post = self::post( array( 'post_content' => self::PLAYER, 'post_status' => 'draft', 'post_author' => $this->contributor ) );
		// The editor corrects a word, and is the revision's author.
		wp_set_current_user( self::person( 'editor' ) );
		wp_update_post( array( 'ID' => $post, 'post_content' => 'Corrected. ' . self::PLAYER ) );
		$revisions = wp_get_post_revisions( $post );
		$this->assertNotSame( array(), $revisions );
		foreach ( $revisions as $revision ) {
			$this->assertSame( array(), self::tickets( self::previewed( $revision->ID ) ) );
		}
		self::make_current( $this->published );
		add_filter( 'comment_text', 'do_shortcode' );
		$html = (string) apply_filters( 'comment_text', '[srs_player stream="board/secret"]', null, array() );
		remove_filter( 'comment_text', 'do_shortcode' );
		$this->assertStringContainsString( '<srs-player', $html );
		$this->assertSame( array(), self::tickets( $html ) );
	}

	/** Who can do something about it reads why nothing is there. */
	public function test_the_author_is_told(): void {
		$post = self::post(
			array(
				'post_type'    => 'page',
				'post_content' => self::drafts()['query loop'][0],
			)
		);
		$this->assertStringNotContainsString( 'lianmai', self::previewed( $post ) );
		wp_set_current_user( 1 );
		$this->assertStringContainsString( 'Query Loop', self::previewed( $post ) );
	}

	/** A block and a shortcode of somebody's that send text through `the_content` once more. */
	private function with_texts_that_run_again(): void {
		if ( ! \WP_Block_Type_Registry::get_instance()->is_registered( 'test/again' ) ) {
			register_block_type(
				'test/again',
				array(
					'render_callback' => static function (): string {
						return (string) apply_filters( 'the_content', '[srs_player stream="board/secret"]' );
					},
				)
			);
		}
		add_shortcode(
			'again',
			static function ( $attributes, $content ): string {
				return (string) apply_filters( 'the_content', $content );
			}
		);
	}

	/** The post's content as the REST API gives it to who is logged in. */
	private function by_rest( string $route ): string {
		$answer = rest_do_request( new \WP_REST_Request( 'GET', $route ) );
		$this->assertSame( 200, $answer->get_status() );
		return $answer->get_data()['content']['rendered'];
	}

	/** As a theme shows it in its main loop. */
	private static function previewed( int $id ): string {
		$post  = get_post( $id );
		self::visit( array( 'p' => $id, 'post_type' => $post->post_type, 'post_status' => 'any' ) );
		$GLOBALS['wp_query']->posts      = array( $post );
		$GLOBALS['wp_query']->post       = $post;
		$GLOBALS['wp_query']->post_count = 1;
		the_post();
		ob_start();
		the_content();
		return (string) ob_get_clean();
	}

	/** As themes do it with posts that they fetched themselves, outside of any loop. */
	private static function set_up( int $id ): string {
		self::make_current( $id );
		ob_start();
		the_content();
		return (string) ob_get_clean();
	}

	private static function make_current( int $id ): void {
		$GLOBALS['post'] = get_post( $id );
		setup_postdata( $GLOBALS['post'] );
	}

	/** @param array<string, mixed> $query */
	private static function visit( array $query ): void {
		$GLOBALS['wp_query']     = new \WP_Query( $query );
		$GLOBALS['wp_the_query'] = $GLOBALS['wp_query'];
		$GLOBALS['post']         = $GLOBALS['wp_query']->post;
		// What hooks to it would redirect a browser.
		$GLOBALS['wp_actions']['template_redirect'] = 1;
	}

	/** @return array<int, string> */
	private static function tickets( string $html ): array {
		preg_match_all( '/ data-ticket="([^"]+)"/', $html, $found );
		return $found[1];
	}
}
