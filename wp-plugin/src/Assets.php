<?php
/**
 * Scripts and styles of pages.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Pages without a player or room load nothing. Others load a small script, which fetches the player before playback. The
 * settings of the script are printed with it, regardless of who enqueued it.
 */
final class Assets {
	/** Handles of the page's script and style, and of the editor's script and style. */
	public const VIEW   = 'lianmai-view';
	public const EDITOR = 'lianmai-editor';

	/** Headers of scripts that fetch a page to insert a part of it into the open page. */
	private const FETCHED = array( 'HTTP_X_REQUESTED_WITH', 'HTTP_HX_REQUEST', 'HTTP_X_PJAX', 'HTTP_X_BARBA' );

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'init', array( self::class, 'serve_old_names' ), 0 );
		add_action( 'init', array( self::class, 'announce' ), 9 );
		add_action( 'wp_enqueue_scripts', array( self::class, 'everywhere' ) );
		add_filter( 'script_loader_tag', array( self::class, 'with_config' ), 10, 2 );
		add_action( 'enqueue_block_editor_assets', array( self::class, 'edit' ) );
	}

	/** Registers the handles. */
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

	/** Notes that this page has a player. */
	public static function need(): void {
		wp_enqueue_script( self::VIEW );
		wp_enqueue_style( self::VIEW );
	}

	/** Enqueues the script on all pages if the settings ask for it: a script may insert a player from another page later. */
	public static function everywhere(): void {
		/**
		 * Filters whether pages without a player load the script and the style too.
		 *
		 * @param bool $everywhere As set under Settings → Lianmai.
		 */
		if ( apply_filters( 'lianmai_everywhere', Settings::everywhere() ) ) {
			self::need();
		}
	}

	/**
	 * Adds the settings before the script's tag. They are data, so that plugins that move or forbid inline scripts
	 * ignore them.
	 *
	 * @param mixed $tag    of a script.
	 * @param mixed $handle of the script.
	 * @return mixed
	 */
	public static function with_config( $tag, $handle ) {
		if ( self::VIEW !== $handle || ! is_string( $tag ) ) {
			return $tag;
		}
		$data = wp_get_inline_script_tag(
			self::config(),
			array(
				'id'   => 'lianmai-config',
				'type' => 'application/json',
			)
		);
		return $data . $tag;
	}

	/** Returns the settings of the script as JSON. */
	public static function config(): string {
		return (string) wp_json_encode( self::page(), JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES );
	}

	/**
	 * Returns whether a script has requested this page to insert a part of it into the open page (infinite scroll, page
	 * transitions). The output of the footer is not inserted.
	 */
	public static function is_fetched(): bool {
		if ( defined( 'REST_REQUEST' ) && REST_REQUEST ) {
			return false;
		}
		$asked = array_filter(
			self::FETCHED,
			static function ( string $header ): bool {
				return ! empty( $_SERVER[ $header ] );
			}
		);
		return wp_doing_ajax() || array() !== $asked || 'empty' === ( $_SERVER['HTTP_SEC_FETCH_DEST'] ?? '' );
	}

	/** Returns the tags of style and script for a part of a page that is inserted into another page, once per page. */
	public static function tags(): string {
		$style  = add_query_arg( 'ver', VERSION, plugins_url( 'assets/view.css', FILE ) );
		$script = add_query_arg( 'ver', VERSION, plugins_url( 'assets/view.js', FILE ) );
		// phpcs:ignore WordPress.WP.EnqueuedResources -- nothing prints what is enqueued into a part of a page.
		return '<link rel="stylesheet" href="' . esc_url( $style ) . '"><script src="' . esc_url( $script ) . '" defer></script>';
	}

	/**
	 * Serves modules of this version for names of an earlier version, which cached pages still use. Web servers pass requests
	 * for missing files to WordPress.
	 */
	public static function serve_old_names(): void {
		$asked = isset( $_SERVER['REQUEST_URI'] ) ? (string) $_SERVER['REQUEST_URI'] : ''; // phpcs:ignore WordPress.Security -- compared, not used.
		$build = (string) wp_parse_url( plugins_url( 'build/', FILE ), PHP_URL_PATH );
		if ( 0 === strpos( $asked, $build ) && preg_match( '/^(element|publisher|define-chat|define-room)\.[0-9a-f]{8}\.js(?:\?|$)/D', substr( $asked, strlen( $build ) ), $is ) ) {
			header( 'Cache-Control: no-store' );
			wp_safe_redirect( plugins_url( 'build/' . self::module( $is[1] . '.js' ), FILE ), 302, 'Lianmai' );
			exit;
		}
	}

	/** The editor's script generates its controls from the attribute table. */
	public static function edit(): void {
		$editor = array(
			'server'  => Settings::server(),
			'secrets' => Secrets::NAMES,
			'schemes' => Sanitizer::SCHEMES,
			// Controls before WordPress 6.7 do not know this size option, which later versions expect.
			'sized'   => version_compare( get_bloginfo( 'version' ), '6.7', '>=' ),
		);
		foreach ( Attributes::WHO as $who ) {
			$editor[ $who ] = Attributes::of( $who );
		}
		self::tell( self::EDITOR, 'lianmaiEditor', $editor );
	}

	/**
	 * Returns the settings of the page's script: the same for every reader, without secrets.
	 *
	 * @return array<string, mixed>
	 */
	private static function page(): array {
		return array(
			'modules'   => plugins_url( 'build/', FILE ),
			'player'    => self::module( 'element.js' ),
			'publisher' => self::module( 'publisher.js' ),
			'chat'      => self::module( 'define-chat.js' ),
			'room'      => self::module( 'define-room.js' ),
			'rest'      => rest_url( 'lianmai/v1/' ),
			'nonce'     => admin_url( 'admin-ajax.php?action=' . Rest::NONCE ),
			'words'     => array(
				'play'    => __( 'Play', 'lianmai' ),
				'golive'  => __( 'Go live', 'lianmai' ),
				'watch'   => __( 'Watch live', 'lianmai' ),
				'enter'   => __( 'Enter the room', 'lianmai' ),
				'chat'    => __( 'Open the chat', 'lianmai' ),
				'loading' => __( 'Loading…', 'lianmai' ),
				'failed'  => __( 'The player could not be loaded. Reload the page to try again.', 'lianmai' ),
				'busy'    => __( 'The site does not answer.', 'lianmai' ),
				/* translators: %s: what the site answered, such as 403 rest_forbidden. */
				'blocked' => __( 'This site refused to say whether you may watch (%s).', 'lianmai' ),
				/* translators: %s: an address. */
				'open'    => __( 'Its REST API is closed to visitors, or a firewall answers in its place: let POST requests to %s through.', 'lianmai' ),
				/* translators: %s: a stream's name. */
				'own'     => __( 'Goes live as %s. Only people who may publish see this box.', 'lianmai' ),
				/* translators: %s: a room's name. */
				'host'    => __( 'You are a host of the room %s. All others see who is in it, and write in the chat.', 'lianmai' ),
			),
		);
	}

	/**
	 * Returns the address of a module in `build/`, with its version.
	 *
	 * @param string $name of the file.
	 */
	private static function module( string $name ): string {
		$file = plugin_dir_path( FILE ) . 'build/manifest.json';
		$read = is_readable( $file ) ? json_decode( (string) file_get_contents( $file ), true ) : null; // phpcs:ignore WordPress.WP.AlternativeFunctions -- A file of our own.
		return is_array( $read ) && isset( $read[ $name ] ) && is_string( $read[ $name ] ) ? $read[ $name ] : $name;
	}

	/**
	 * Prints a value before a script.
	 *
	 * @param string $handle of the script.
	 * @param string $name   of the variable.
	 * @param array  $value  for it.
	 */
	private static function tell( string $handle, string $name, array $value ): void {
		wp_add_inline_script( $handle, "window.{$name} = " . wp_json_encode( $value, JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES ) . ';', 'before' );
	}
}
