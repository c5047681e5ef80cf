<?php
/**
 * What pages load.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Nothing without a player; with one a small script, which fetches the player itself before it plays. */
final class Assets {
	/** The handle of the page's script and style, and that of the editor's. */
	public const VIEW   = 'lianmai-view';
	public const EDITOR = 'lianmai-editor';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'init', array( self::class, 'announce' ), 9 );
		add_action( 'enqueue_block_editor_assets', array( self::class, 'edit' ) );
	}

	/** Makes the handles known. */
	public static function announce(): void {
		// Before WordPress 6.3 the array only says "in the footer".
		wp_register_script(
			self::VIEW,
			plugins_url( 'assets/view.js', FILE ),
			array(),
			VERSION,
			array(
				'strategy'  => 'defer',
				'in_footer' => true,
			)
		);
		wp_register_style( self::VIEW, plugins_url( 'assets/view.css', FILE ), array(), VERSION );
		wp_register_script(
			self::EDITOR,
			plugins_url( 'assets/editor.js', FILE ),
			array( 'wp-blocks', 'wp-block-editor', 'wp-components', 'wp-element', 'wp-i18n', 'wp-shortcode' ),
			VERSION,
			true
		);
		wp_set_script_translations( self::EDITOR, 'lianmai', plugin_dir_path( FILE ) . 'languages' );
		wp_register_style( self::EDITOR, plugins_url( 'assets/editor.css', FILE ), array(), VERSION );
	}

	/** This page has a player. */
	public static function need(): void {
		if ( wp_script_is( self::VIEW ) ) {
			return;
		}
		wp_enqueue_script( self::VIEW );
		wp_enqueue_style( self::VIEW );
		// Before the footer's scripts.
		if ( ! has_action( 'wp_footer', array( self::class, 'print' ) ) ) {
			add_action( 'wp_footer', array( self::class, 'print' ), 19 );
		}
	}

	/** What the page's script must know. Data and no script: what moves or forbids inline scripts leaves it where it is. */
	public static function print(): void {
		wp_print_inline_script_tag(
			(string) wp_json_encode( self::page(), JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES ),
			array(
				'id'   => 'lianmai-config',
				'type' => 'application/json',
			)
		);
	}

	/** The editor's script generates its controls from the attribute table. */
	public static function edit(): void {
		$editor = array(
			'server'  => Settings::server(),
			'secrets' => Secrets::NAMES,
			'schemes' => Sanitizer::SCHEMES,
			// Controls before 6.7 do not know their present size, which later ones want to be asked for.
			'sized'   => version_compare( get_bloginfo( 'version' ), '6.7', '>=' ),
			'player'  => Attributes::of( 'player' ),
			'publisher' => Attributes::of( 'publisher' ),
		);
		self::tell( self::EDITOR, 'lianmaiEditor', $editor );
	}

	/**
	 * What the page's script must know: the same for every reader, and nothing secret.
	 *
	 * @return array<string, mixed>
	 */
	private static function page(): array {
		$built = self::built();
		return array(
			'modules'   => plugins_url( 'build/', FILE ),
			'player'    => $built['element.js'] ?? 'element.js',
			'publisher' => $built['publisher.js'] ?? 'publisher.js',
			'rest'      => rest_url( 'lianmai/v1/' ),
			'nonce'     => admin_url( 'admin-ajax.php?action=' . Rest::NONCE ),
			'words'     => array(
				'play'    => __( 'Play', 'lianmai' ),
				'golive'  => __( 'Go live', 'lianmai' ),
				'loading' => __( 'Loading…', 'lianmai' ),
				'failed'  => __( 'The player could not be loaded. Reload the page to try again.', 'lianmai' ),
				'busy'    => __( 'The site does not answer.', 'lianmai' ),
			),
		);
	}

	/**
	 * The built files' names with their hashes.
	 *
	 * @return array<string, string>
	 */
	private static function built(): array {
		$file = plugin_dir_path( FILE ) . 'build/manifest.json';
		$read = is_readable( $file ) ? json_decode( (string) file_get_contents( $file ), true ) : array(); // phpcs:ignore WordPress.WP.AlternativeFunctions -- A file of our own.
		return is_array( $read ) ? array_filter( $read, 'is_string' ) : array();
	}

	/**
	 * Puts a value before a script.
	 *
	 * @param string $handle of the script.
	 * @param string $name   of the variable.
	 * @param array  $value  for it.
	 */
	private static function tell( string $handle, string $name, array $value ): void {
		wp_add_inline_script( $handle, "window.{$name} = " . wp_json_encode( $value, JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES ) . ';', 'before' );
	}
}
