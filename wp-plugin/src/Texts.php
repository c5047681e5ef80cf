<?php
/**
 * Where addresses of streams are written.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Posts of every kind with their revisions (templates and synced patterns are posts), and widgets. */
final class Texts {
	/** In place of a post's id. */
	public const WIDGETS = 0;

	/** What a text holds that becomes a player, or did with another plugin. */
	public const SIGNS = array( '[srs_', '<!-- wp:lianmai/', 'webrtc://', '.m3u8', '.flv' );

	/** Widgets that show what somebody wrote, and where they keep it. */
	private const WIDGET_KINDS = array(
		'block'       => 'content',
		'text'        => 'text',
		'custom_html' => 'content',
	);

	/** As many posts at a time as memory bears. */
	private const BATCH = 100;

	/**
	 * Every text that may hold the address of a stream, as a function gives it back.
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
					// Straight into the row: saving as a post would filter what others may write and add a revision.
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
	 * Tells the players and publishers in a text from others; the rest of the text does not count.
	 *
	 * @param string $text of a post.
	 */
	public static function mark( string $text ): string {
		return md5( implode( "\n", array_filter( explode( "\n", $text ), array( self::class, 'may_hold' ) ) ) );
	}

	/** Whether a text may hold a player or publisher. */
	public static function may_hold( string $text ): bool {
		foreach ( self::SIGNS as $sign ) {
			if ( false !== stripos( $text, $sign ) ) {
				return true;
			}
		}
		return false;
	}
}
