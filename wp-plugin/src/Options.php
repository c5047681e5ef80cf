<?php
/**
 * Options that only one request may make.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** `add_option` lets the last of two win; here the first does, and the other one knows. */
final class Options {
	/** Makes an option, not loaded with every page; false when it is there already. */
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

	/** Removes the options of a prefix whose value, a time, is past. */
	public static function drop_past( string $prefix, int $now ): void {
		global $wpdb;
		// Times have ten digits until the year 2286, so text compares as numbers do.
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
