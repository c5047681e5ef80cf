<?php
/**
 * Options that only one request may create.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** With `add_option`, the last of two concurrent requests wins. Here the first wins, and the other gets false. */
final class Options {
	/** Creates an option that is not loaded with every page. Returns false if it exists already. */
	public static function claim( string $name, string $value ): bool {
		global $wpdb;
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		$rows = $wpdb->query(
			$wpdb->prepare(
				"INSERT IGNORE INTO `$wpdb->options` ( `option_name`, `option_value`, `autoload` ) VALUES ( %s, %s, 'no' )",
				$name,
				$value
			)
		);
		wp_cache_delete( $name, 'options' );
		wp_cache_delete( 'notoptions', 'options' );
		return 1 === $rows;
	}

	/** Removes the options with a prefix whose value is a time in the past. */
	public static function drop_past( string $prefix, int $now ): void {
		global $wpdb;
		// Times have ten digits until the year 2286, so texts compare like numbers.
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		$wpdb->query(
			$wpdb->prepare(
				"DELETE FROM `$wpdb->options` WHERE `option_name` LIKE %s AND `option_value` < %s",
				$wpdb->esc_like( $prefix ) . '%',
				(string) $now
			)
		);
	}
}
