<?php
/**
 * Leaves nothing: no option, no transient, no capability, on no site.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

if ( ! defined( 'WP_UNINSTALL_PLUGIN' ) ) {
	exit;
}

/** Cleans the current site. */
$clean = static function (): void {
	global $wpdb;
	// The plugin is not loaded now, so its names are written out.
	foreach ( array( 'lianmai_publish', 'lianmai_host' ) as $capability ) {
		foreach ( array_keys( wp_roles()->roles ) as $role ) {
			wp_roles()->remove_cap( (string) $role, $capability );
		}
		// Role editors give it to single people as well.
		foreach ( get_users( array( 'capability' => $capability ) ) as $user ) {
			$user->remove_cap( $capability );
		}
	}
	foreach ( array( 'lianmai_', '_transient_lianmai_', '_transient_timeout_lianmai_' ) as $prefix ) {
		// phpcs:ignore WordPress.DB.DirectDatabaseQuery
		$names = $wpdb->get_col( $wpdb->prepare( "SELECT `option_name` FROM `$wpdb->options` WHERE `option_name` LIKE %s", $wpdb->esc_like( $prefix ) . '%' ) );
		array_map( 'delete_option', (array) $names );
	}
};

if ( ! is_multisite() ) {
	$clean();
	return;
}
foreach ( get_sites(
	array(
		'fields' => 'ids',
		'number' => 0,
	)
) as $lianmai_site ) {
	switch_to_blog( (int) $lianmai_site );
	$clean();
	restore_current_blog();
}
