<?php
/**
 * Loads the WordPress in the folder that LIANMAI_WORDPRESS names, with the plugin active.
 *
 * @package Lianmai
 */

declare(strict_types=1);

// PHPUnit includes this file inside a function, and WordPress means these as globals.
global $wpdb, $current_site, $current_blog, $wp_rewrite, $shortcode_tags, $wp, $wp_theme_directories, $table_prefix;

$lianmai_wordpress = (string) getenv( 'LIANMAI_WORDPRESS' );
if ( ! is_file( $lianmai_wordpress . '/wp-load.php' ) ) {
	fwrite( STDERR, "LIANMAI_WORDPRESS names no WordPress: '$lianmai_wordpress'\n" );
	exit( 1 );
}
// A network of sites finds the site by the request's host.
preg_match( "#'WP_HOME',\\s*'https?://([^'/]+)#", (string) file_get_contents( $lianmai_wordpress . '/wp-config.php' ), $lianmai_home );
$_SERVER['HTTP_HOST']       = $lianmai_home[1] ?? '127.0.0.1';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
require_once $lianmai_wordpress . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
