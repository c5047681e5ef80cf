<?php
/**
 * The plugin's words in other languages.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Reads the translations that come with the plugin. */
final class Languages {
	/** Hooks into WordPress. */
	public static function register(): void {
		// Before the parts that name things at `init`.
		add_action( 'init', array( self::class, 'load' ), 0 );
	}

	/** Tells WordPress where they are. */
	public static function load(): void {
		load_plugin_textdomain( 'lianmai', false, dirname( plugin_basename( FILE ) ) . '/languages' );
	}
}
