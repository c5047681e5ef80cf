<?php
/**
 * Installs WordPress without a browser: `php install.php FOLDER HOST`.
 *
 * @package Lianmai
 */

define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST']       = $argv[2];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';

/** Mail is not sent. */
function wp_mail(): bool {
	return true;
}

require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install( 'Test', 'admin', 'admin@example.test', true, '', 'password' );
// `index.php` in the address would not be what sites have.
update_option( 'permalink_structure', '/%postname%/' );
// They come from elsewhere.
update_option( 'show_avatars', 0 );
foreach ( array( 'subscriber', 'contributor', 'author', 'editor' ) as $role ) {
	wp_insert_user(
		array(
			'user_login' => $role,
			'user_pass'  => 'password',
			'user_email' => $role . '@example.test',
			'role'       => $role,
		)
	);
}
