<?php
/**
 * Whose page an element is on.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Tickets bind the post that an element is in, and where it is in none, the page that is shown. */
final class Holder {
	/** The site itself: a template or widget on a page that is no post, such as one that was not found. */
	public const SITE = 0;

	/** The post's id, or SITE; null where no page is shown, so that no ticket can be had by asking for a piece of HTML. */
	public static function id(): ?int {
		$post = (int) get_the_ID();
		if ( $post > 0 && ( doing_filter( 'the_content' ) || in_the_loop() ) ) {
			return $post;
		}
		// The REST API and admin-ajax.php end before that.
		if ( 0 === did_action( 'template_redirect' ) ) {
			return $post > 0 ? $post : null;
		}
		// Outside of the loop the current post is whichever came last in it.
		$shown = get_queried_object();
		if ( $shown instanceof \WP_Post ) {
			return $shown->ID;
		}
		$front = 'page' === get_option( 'show_on_front' ) ? (int) get_option( 'page_on_front' ) : 0;
		return $front > 0 ? $front : self::SITE;
	}
}
