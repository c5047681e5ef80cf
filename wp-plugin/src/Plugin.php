<?php
/**
 * Connects the parts.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The composition root: knows every part, and no part knows it. */
final class Plugin {
	/** Parts of the plugin. Each hooks itself into WordPress. */
	private const PARTS = array(
		Languages::class,
		Settings::class,
		SettingsPage::class,
		Starter::class,
		Capability::class,
		Console::class,
		Key::class,
		Rest::class,
		Relay::class,
		ConnectionTest::class,
		SiteHealth::class,
		PostSecrets::class,
		Privacy::class,
		Holder::class,
		Assets::class,
		Shortcodes::class,
		Blocks::class,
		Classic::class,
		Checklist::class,
		Embeds::class,
	);

	/** Hooks the parts into WordPress. */
	public static function register(): void {
		foreach ( self::PARTS as $part ) {
			$part::register();
		}
	}
}
