<?php
/**
 * Texts of the site that may contain addresses of streams.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Posts of every kind with their revisions (templates and synced patterns are posts), and widgets. */
final class Texts {
	/** Used instead of a post id. */
	public const WIDGETS = 0;

	/** Texts that indicate a player: shortcodes, blocks and addresses. */
	public const SIGNS = array( '[srs_', '<!-- wp:lianmai/', 'webrtc://', '.m3u8', '.flv' );

	/** Widgets with free text, and the fields that contain it. */
	private const WIDGET_KINDS = array(
		'block'       => 'content',
		'text'        => 'text',
		'custom_html' => 'content',
	);

	/** Number of posts that are read at a time, to limit memory. */
	private const BATCH = 100;

	/**
	 * Applies a function to every text that may contain the address of a stream.
	 *
	 * @param callable(int, string): string $with Gets the post (a revision's parent) or WIDGETS, and the text.
	 */
	public static function each( callable $with ): void {
		self::posts( $with );
		self::widgets( $with );
	}

	/** @param callable(int, string): string $with */
	private static function posts( callable $with ): void {
		global $wpdb;
		$like = implode( ' OR ', array_fill( 0, count( self::SIGNS ), '`post_content` LIKE %s' ) );
		$any  = array_map(
			static function ( string $sign ) use ( $wpdb ): string {
				return '%' . $wpdb->esc_like( $sign ) . '%';
			},
			self::SIGNS
		);
		$last = 0;
		do {
			// phpcs:ignore WordPress.DB.DirectDatabaseQuery, WordPress.DB.PreparedSQL
			$rows = (array) $wpdb->get_results( $wpdb->prepare( "SELECT `ID`, `post_parent`, `post_type`, `post_content` FROM `$wpdb->posts` WHERE `ID` > %d AND ( $like ) ORDER BY `ID` LIMIT %d", array_merge( array( $last ), $any, array( self::BATCH ) ) ) );
			foreach ( $rows as $row ) {
				$last = (int) $row->ID;
				$new  = $with( 'revision' === $row->post_type ? (int) $row->post_parent : $last, (string) $row->post_content );
				if ( $new !== (string) $row->post_content ) {
					// Update the row directly: saving the post would filter HTML that others may write, and add a revision.
					// phpcs:ignore WordPress.DB.DirectDatabaseQuery
					$wpdb->update( $wpdb->posts, array( 'post_content' => $new ), array( 'ID' => $last ) );
					clean_post_cache( $last );
				}
			}
		} while ( self::BATCH === count( $rows ) );
	}

	/** @param callable(int, string): string $with */
	private static function widgets( callable $with ): void {
		foreach ( self::WIDGET_KINDS as $kind => $field ) {
			$stored = get_option( 'widget_' . $kind );
			$new    = is_array( $stored ) ? $stored : array();
			foreach ( $new as $number => $widget ) {
				if ( is_array( $widget ) && isset( $widget[ $field ] ) && is_string( $widget[ $field ] ) && self::may_hold( $widget[ $field ] ) ) {
					$new[ $number ][ $field ] = $with( self::WIDGETS, $widget[ $field ] );
				}
			}
			if ( is_array( $stored ) && $new !== $stored ) {
				update_option( 'widget_' . $kind, $new );
			}
		}
	}

	/**
	 * Returns a text that identifies the players and publishers in a post, ignoring other content.
	 *
	 * @param string $text of a post.
	 */
	public static function mark( string $text ): string {
		return md5( implode( "\n", array_filter( explode( "\n", $text ), array( self::class, 'may_hold' ) ) ) );
	}

	/** Returns whether a text may contain a player or publisher. */
	public static function may_hold( string $text ): bool {
		foreach ( self::SIGNS as $sign ) {
			if ( false !== stripos( $text, $sign ) ) {
				return true;
			}
		}
		return false;
	}
}
