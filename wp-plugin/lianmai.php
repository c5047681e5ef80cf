<?php
/**
 * Plugin Name:       Lianmai
 * Description:       Live video on your pages, published from them by whoever may: the shortcodes [srs_player], [srs_publisher] and [srs_room], and the blocks Live player, Live publisher and Live room.
 * Version:           0.1.0
 * Requires at least: 6.1
 * Requires PHP:      7.4
 * License:           MIT
 * Text Domain:       lianmai
 * Domain Path:       /languages
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

const FILE    = __FILE__;
const VERSION = '0.1.0';

spl_autoload_register(
	static function ( string $name ): void {
		if ( 0 !== strpos( $name, __NAMESPACE__ . '\\' ) ) {
			return;
		}
		$file = __DIR__ . '/src/' . str_replace( '\\', '/', substr( $name, strlen( __NAMESPACE__ ) + 1 ) ) . '.php';
		if ( is_file( $file ) ) {
			require $file;
		}
	}
);

Plugin::register();
