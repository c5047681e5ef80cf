<?php
/**
 * Makes a WordPress the main site of a network with folders: `php network.php FOLDER HOST PATH`.
 *
 * @package Lianmai
 */

define( 'WP_INSTALLING', true );
define( 'WP_ALLOW_MULTISITE', true );
$_SERVER['HTTP_HOST']       = $argv[2];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

/** Mail is not sent. */
function wp_mail(): bool {
	return true;
}

require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
foreach ( $wpdb->tables( 'ms_global' ) as $table => $prefixed ) {
	$wpdb->$table = $prefixed;
}
install_network();
$result = populate_network( 1, $argv[2], 'admin@example.test', 'Test network', $argv[3], false );
if ( is_wp_error( $result ) && 'no_wildcard_dns' !== $result->get_error_code() ) {
	fwrite( STDERR, $result->get_error_message() );
	exit( 1 );
}
