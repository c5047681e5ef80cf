<?php
/**
 * Runs a piece of PHP inside WordPress, as the administrator: `php run.php FOLDER HOST ARGUMENTS < CODE`.
 * The code finds its arguments in `$args`, and what it returns is printed as JSON.
 *
 * @package Lianmai
 */

$_SERVER['HTTP_HOST']       = $argv[2];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
$args                       = json_decode( $argv[3], true );
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
wp_set_current_user( 1 );
$result = ( static function ( $args ) {
	// phpcs:ignore Squiz.PHP.Eval.Discouraged -- that is what this file is for.
	return eval( stream_get_contents( STDIN ) );
} )( $args );
if ( is_wp_error( $result ) ) {
	fwrite( STDERR, $result->get_error_message() );
	exit( 1 );
}
echo "\x1e", json_encode( $result );
