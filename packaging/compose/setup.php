<?php
/**
 * Installs WordPress and turns the plugin on: `php setup.php FOLDER`. Does nothing to a WordPress that is installed.
 *
 * The environment gives the site's address (SITE) and the password of the user admin (WORDPRESS_PASSWORD).
 *
 * @package Lianmai
 */

$folder   = $argv[1];
$site     = rtrim( (string) getenv( 'SITE' ), '/' );
$password = (string) getenv( 'WORDPRESS_PASSWORD' );
if ( '' === $site || '' === $password ) {
	fwrite( STDERR, "setup: set SITE and WORDPRESS_PASSWORD\n" );
	exit( 1 );
}
if ( ! is_file( "$folder/wp-config.php" ) ) {
	// The WordPress container writes it at its first start; the caller tries again.
	fwrite( STDERR, "setup: no wp-config.php in $folder yet\n" );
	sleep( 1 );
	exit( 1 );
}

define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST']       = (string) preg_replace( '~^https?://~', '', $site );
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

/** No mail leaves this script: the administrator is sitting before it. */
function wp_mail(): bool {
	return true;
}

require "$folder/wp-load.php";
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

if ( is_blog_installed() ) {
	echo "setup: WordPress is installed\n";
	exit( 0 );
}
$made = wp_install( 'Live', 'admin', 'admin@localhost.localdomain', true, '', $password );
update_option( 'siteurl', $site );
update_option( 'home', $site );
// The gateway asks for the keys below /wp-json/.
update_option( 'permalink_structure', '/%postname%/' );
$failed = activate_plugin( 'lianmai/lianmai.php' );
if ( is_wp_error( $failed ) ) {
	fwrite( STDERR, 'setup: ' . $failed->get_error_message() . "\n" );
	exit( 1 );
}
$page = wp_insert_post(
	array(
		'post_title'   => 'Live',
		'post_name'    => 'live',
		'post_type'    => 'page',
		'post_status'  => 'publish',
		'post_author'  => $made['user_id'],
		'post_content' => "[srs_player stream=\"live/livestream\"]\n\n[srs_publisher stream=\"live/livestream\"]",
	)
);
echo 'setup: WordPress is ready at ', $site, '/', get_page_uri( $page ), "/\n";
