<?php
/**
 * Leads from the activation of the plugin to the first post with a player.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Opens the settings after activation, shows shortcodes to paste, and starts a page with both blocks. */
final class Starter {
	/** The stream of the examples, the same as in the gateway's pages. */
	private const NAME = 'livestream';

	/** Handle of the script for copy buttons, and of the style for the plugin's administration pages. */
	public const COPY = 'lianmai-copy';

	/** Query parameter of the address of a new page. */
	private const BEGIN = 'lianmai_begin';

	/** Returns the stream of the examples, which this site may publish. */
	public static function stream(): string {
		return ( '' === Settings::prefix() ? 'live' : Settings::prefix() ) . '/' . self::NAME;
	}

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'activated_plugin', array( self::class, 'lead' ), 20, 2 );
		add_action( 'admin_notices', array( self::class, 'remind' ) );
		add_filter( 'default_content', array( self::class, 'content' ), 10, 2 );
		add_filter( 'default_title', array( self::class, 'title' ), 10, 2 );
	}

	/**
	 * Opens the settings after a person has activated only this plugin.
	 *
	 * @param mixed $plugin  the activated plugin.
	 * @param mixed $network whether for all sites.
	 */
	public static function lead( $plugin, $network = false ): void {
		// Activations of several plugins, by programs, or on network pages continue without the settings.
		// phpcs:ignore WordPress.Security.NonceVerification -- WordPress has checked it.
		$pressed = isset( $_GET['action'] ) && 'activate' === $_GET['action'] && isset( $_GET['plugin'] );
		if ( plugin_basename( FILE ) !== $plugin || $network || ! $pressed || ! is_admin() || wp_doing_ajax() || ! current_user_can( 'manage_options' ) ) {
			return;
		}
		wp_safe_redirect( add_query_arg( 'lianmai_done', 'activated', SettingsPage::address() ) );
		exit;
	}

	/** Shows a notice with a link to the settings on the plugin pages while no server is set. */
	public static function remind(): void {
		$screen = get_current_screen();
		if ( null === $screen || ! in_array( $screen->id, array( 'plugins', 'plugin-install', 'dashboard' ), true )
			|| '' !== Settings::server() || ! current_user_can( 'manage_options' )
		) {
			return;
		}
		printf(
			'<div class="notice notice-info is-dismissible"><p>%1$s <a href="%2$s">%3$s</a></p></div>',
			esc_html__( 'Lianmai is active, and needs the address of your media server.', 'lianmai' ),
			esc_url( SettingsPage::address() ),
			esc_html__( 'Open the settings', 'lianmai' )
		);
	}

	/** Prints shortcodes for posts, if a server is set. */
	public static function show(): void {
		if ( '' === Settings::server() ) {
			return;
		}
		echo '<h2>' . esc_html__( 'Paste this into a post', 'lianmai' ) . '</h2><p>'
			. esc_html__( 'The name of the stream is what its publisher uses: the application, a slash, and the stream key.', 'lianmai' ) . '</p>';
		self::line( 'lianmai-player-line', __( 'Readers watch', 'lianmai' ), '[srs_player stream="' . self::stream() . '"]' );
		self::line( 'lianmai-publisher-line', __( 'Authors go live', 'lianmai' ), '[srs_publisher stream="' . self::stream() . '"]' );
		if ( 'lianmai' === Settings::kind() ) {
			self::line( 'lianmai-room-line', __( 'Hosts talk to each other, readers watch and chat', 'lianmai' ), '[srs_room room="friday-show"]' );
		}
		printf(
			'<p><a class="button" href="%1$s">%2$s</a></p>',
			esc_url( admin_url( 'post-new.php?post_type=page&' . self::BEGIN . '=1' ) ),
			esc_html__( 'Begin a page with both', 'lianmai' )
		);
	}

	/** Loads the script for copy buttons. */
	public static function enqueue_lines(): void {
		wp_enqueue_script( self::COPY, plugins_url( 'assets/copy.js', FILE ), array(), VERSION, true );
		wp_enqueue_style( self::COPY, plugins_url( 'assets/admin.css', FILE ), array(), VERSION );
	}

	/**
	 * Prints a line with a copy button.
	 *
	 * @param string $id    of the element.
	 * @param string $label its purpose.
	 * @param string $line  to copy.
	 */
	public static function line( string $id, string $label, string $line ): void {
		printf(
			'<p class="lianmai-line">%2$s <span><code id="%1$s">%3$s</code> <button type="button" class="button" data-copy="%1$s" data-done="%5$s" aria-describedby="%1$s">%4$s</button></span></p>',
			esc_attr( $id ),
			esc_html( $label ),
			esc_html( $line ),
			esc_html__( 'Copy', 'lianmai' ),
			esc_attr__( 'Copied', 'lianmai' )
		);
	}

	/**
	 * Returns the content of a new page that was started from the settings.
	 *
	 * @param mixed $content of WordPress.
	 * @param mixed $post    the new one.
	 * @return mixed
	 */
	public static function content( $content, $post ) {
		if ( ! self::is_begun( $post ) ) {
			return $content;
		}
		$with = use_block_editor_for_post_type( 'page' ) ? '<!-- wp:lianmai/%1$s {"stream":"%2$s"} /-->' : '[srs_%1$s stream="%2$s"]';
		return sprintf( $with, 'player', self::stream() ) . "\n\n" . sprintf( $with, 'publisher', self::stream() );
	}

	/**
	 * Its title.
	 *
	 * @param mixed $title of WordPress.
	 * @param mixed $post  the new one.
	 * @return mixed
	 */
	public static function title( $title, $post ) {
		return self::is_begun( $post ) ? __( 'Live', 'lianmai' ) : $title;
	}

	/**
	 * Returns whether a new page was started from the settings.
	 *
	 * @param mixed $post the new one.
	 */
	private static function is_begun( $post ): bool {
		// phpcs:ignore WordPress.Security.NonceVerification -- only fills in an empty page.
		return isset( $_GET[ self::BEGIN ] ) && $post instanceof \WP_Post && 'page' === $post->post_type;
	}
}
