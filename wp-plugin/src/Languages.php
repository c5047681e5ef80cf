<?php
/**
 * Translations of the plugin.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Reads the translations that come with the plugin. */
final class Languages {
	/** Hooks into WordPress. */
	public static function register(): void {
		// Run before the parts that use texts at `init`.
		add_action( 'init', array( self::class, 'load' ), 0 );
	}

	/** Registers the folder of the translations. */
	public static function load(): void {
		load_plugin_textdomain( 'lianmai', false, dirname( plugin_basename( FILE ) ) . '/languages' );
	}
}
