<?php
/**
 * What PHP's own web server does with a request: files as they are, the rest to WordPress, as with
 * `.htaccess` on a real one. BASE is the folder that WordPress is installed in, seen from outside.
 *
 * @package Lianmai
 */

$base = (string) getenv( 'BASE' );
$path = rawurldecode( (string) parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH ) );
if ( '' !== $base && 0 !== strpos( $path, $base . '/' ) ) {
	http_response_code( 404 );
	return true;
}
// A site of a network is a folder that does not exist.
if ( getenv( 'NETWORK' ) ) {
	$path = preg_replace( '#^(' . preg_quote( $base, '#' ) . ')/[^/]+(/(wp-(admin|includes|content|login)|[^/]+\.php).*)$#', '$1$2', $path );
}
$file = $_SERVER['DOCUMENT_ROOT'] . $path;
if ( is_dir( $file ) ) {
	$path = rtrim( $path, '/' ) . '/index.php';
	$file = $_SERVER['DOCUMENT_ROOT'] . $path;
}
if ( is_file( $file ) && '.php' !== substr( $file, -4 ) ) {
	$types = array(
		'css'   => 'text/css',
		'gif'   => 'image/gif',
		'html'  => 'text/html',
		'jpg'   => 'image/jpeg',
		'js'    => 'text/javascript',
		'json'  => 'application/json',
		'png'   => 'image/png',
		'svg'   => 'image/svg+xml',
		'wasm'  => getenv( 'WASM_TYPE' ) ?: 'application/wasm',
		'woff2' => 'font/woff2',
	);
	header( 'Content-Type: ' . ( $types[ pathinfo( $file, PATHINFO_EXTENSION ) ] ?? 'application/octet-stream' ) );
	header( 'Content-Length: ' . filesize( $file ) );
	// As servers are told to for names that tell their content.
	header( 'Cache-Control: max-age=600' );
	readfile( $file );
	return true;
}
if ( ! is_file( $file ) ) {
	$path = $base . '/index.php';
	$file = $_SERVER['DOCUMENT_ROOT'] . $path;
}
$_SERVER['SCRIPT_NAME']     = $path;
$_SERVER['PHP_SELF']        = $path;
$_SERVER['SCRIPT_FILENAME'] = $file;
chdir( dirname( $file ) );
require $file;
