<?php
/**
 * The post that a player or publisher belongs to.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * A ticket contains a post, and the approval of that post opens the stream. So it must be the post whose author wrote the
 * element. That is not always the current post: a Query Loop in a draft makes published posts of other people current
 * while the draft's content is still being rendered.
 */
final class Holder {
	/** The id for the site itself: for a template or widget on a page without a post, such as the page "not found". */
	public const SITE = 0;

	/** Filters for texts of visitors and other people: an element in such a text belongs to no post. */
	private const OTHERS = array( 'comment_text', 'comment_excerpt', 'get_comment_author', 'get_the_author_description', 'the_author' );

	/**
	 * The contents that are being rendered, by nesting depth of `the_content`: the post, and whether the content is
	 * stored in that post.
	 *
	 * @var array<int, array{post: int, stored: bool}>
	 */
	private static $contents = array();

	/** Hooks into WordPress. */
	public static function register(): void {
		add_filter( 'the_content', array( self::class, 'begin' ), PHP_INT_MIN );
	}

	/**
	 * Notes the post whose content starts, before other filters change the content.
	 *
	 * @param mixed $content Of a post, or some other text.
	 * @return mixed The unchanged content.
	 */
	public static function begin( $content ) {
		$depth  = self::depth();
		$post   = get_post();
		$stored = $post instanceof \WP_Post && is_string( $content ) && self::is_stored_in( $content, $post );
		$outer  = self::$contents[ $depth - 1 ] ?? null;
		// A shortcode may filter text of the outer post again while another post is current.
		self::$contents[ $depth ] = $stored || null === $outer
			? array(
				'post'   => $post instanceof \WP_Post ? $post->ID : 0,
				'stored' => $stored,
			)
			: $outer;
		return $content;
	}

	/**
	 * Returns the id of the post, or SITE. Null if no ticket may be made: the element is in a loop over other posts, in a
	 * visitor's text, on another site of the network, or in HTML that was requested by AJAX or REST.
	 */
	public static function id(): ?int {
		if ( ( is_multisite() && ms_is_switched() ) || array() !== array_filter( self::OTHERS, 'doing_filter' ) ) {
			return null;
		}
		$id = self::place();
		return null === $id || false !== wp_is_post_revision( $id ) ? null : $id;
	}

	/** Returns whether the element is in the content of one post while another post is current, as in a Query Loop. */
	public static function is_in_loop_of_others(): bool {
		$depth = self::depth();
		return $depth > 0 && ( self::$contents[ $depth ]['stored'] ?? false ) && self::$contents[ $depth ]['post'] !== (int) get_the_ID();
	}

	/** Returns the post that contains the element; 0 for a template or widget. */
	public static function written_in(): int {
		return self::$contents[ self::depth() ]['post'] ?? (int) get_the_ID();
	}

	/** Returns the post, whether it may have a ticket or not. */
	private static function place(): ?int {
		$current = (int) get_the_ID();
		$depth   = self::depth();
		if ( $depth > 0 ) {
			$content = self::$contents[ $depth ] ?? null;
			if ( null === $content || $content['post'] !== $current ) {
				return null;
			}
			if ( $content['stored'] ) {
				return $current;
			}
		}
		// The author of the element is not known here. In a page it is the theme; in an answer to AJAX or REST it
		// may be the requester.
		if ( is_admin() || ( defined( 'REST_REQUEST' ) && REST_REQUEST ) ) {
			return null;
		}
		if ( 0 === did_action( 'template_redirect' ) || ( $depth > 0 && $current > 0 ) ) {
			return $current > 0 ? $current : null;
		}
		return self::page( $current );
	}

	/** Returns the post for a template or widget of a page. */
	private static function page( int $current ): int {
		// In a list of drafts, such as a contributor's own drafts, nobody has approved the contents.
		if ( $current > 0 && ! self::is_published( $current ) ) {
			return $current;
		}
		$main = $GLOBALS['wp_query']->post ?? null;
		if ( $current > 0 && in_the_loop() && $main instanceof \WP_Post && $main->ID === $current ) {
			return $current;
		}
		// Outside the main loop, the current post is the last post of some other loop.
		$shown = get_queried_object();
		if ( $shown instanceof \WP_Post ) {
			return $shown->ID;
		}
		$front = 'page' === get_option( 'show_on_front' ) ? (int) get_option( 'page_on_front' ) : 0;
		return $front > 0 ? $front : self::SITE;
	}

	/** Returns whether a post is published, for everybody or for readers of private posts. */
	private static function is_published( int $id ): bool {
		$status = get_post_status_object( (string) get_post_status( $id ) );
		return null !== $status && ( $status->public || $status->private );
	}

	/** Returns whether a text is the content of a post, one of its pages, or its teaser. */
	private static function is_stored_in( string $content, \WP_Post $post ): bool {
		$same = static function ( string $text ): string {
			return trim( str_replace( ']]>', ']]&gt;', $text ) );
		};
		$text = $same( $content );
		if ( '' === $text || false !== strpos( $same( $post->post_content ), $text ) ) {
			return true;
		}
		// A template tag outside a loop does not know the pages of a post.
		return isset( $GLOBALS['pages'] ) && $same( get_the_content() ) === $text;
	}

	/** Returns the nesting depth of `the_content`. */
	private static function depth(): int {
		return count( array_keys( (array) ( $GLOBALS['wp_current_filter'] ?? array() ), 'the_content', true ) );
	}
}
