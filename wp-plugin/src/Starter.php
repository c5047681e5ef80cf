<?php
/**
 * The way from the activated plugin to the first post with a player.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Leads to the settings after activation, shows lines to paste, and begins a page with both blocks. */
final class Starter {
	/** The name of the examples' stream, as in the gateway's own pages. */
	private const NAME = 'livestream';

	/** The script that copies lines, and the style of this plugin's parts of the administration. */
	public const COPY = 'lianmai-copy';

	/** What the address of a new page has. */
	private const BEGIN = 'lianmai_begin';

	/** The stream of the examples: one that this site may publish. */
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
	 * After the plugin alone was activated by a press, its settings are shown.
	 *
	 * @param mixed $plugin  that was activated.
	 * @param mixed $network whether for all sites.
	 */
	public static function lead( $plugin, $network = false ): void {
		// Also in a list of several, by a program, or on a network's own pages: those go on by themselves.
		// phpcs:ignore WordPress.Security.NonceVerification -- WordPress has checked it.
		$pressed = isset( $_GET['action'] ) && 'activate' === $_GET['action'] && isset( $_GET['plugin'] );
		if ( plugin_basename( FILE ) !== $plugin || $network || ! $pressed || ! is_admin() || wp_doing_ajax() || ! current_user_can( 'manage_options' ) ) {
			return;
		}
		wp_safe_redirect( add_query_arg( 'lianmai_done', 'activated', SettingsPage::address() ) );
		exit;
	}

	/** As long as no server is set, the pages about plugins say where. */
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

	/** Lines for posts, once there is a server. */
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

	/** Loads what lines to copy need. */
	public static function enqueue_lines(): void {
		wp_enqueue_script( self::COPY, plugins_url( 'assets/copy.js', FILE ), array(), VERSION, true );
		wp_enqueue_style( self::COPY, plugins_url( 'assets/admin.css', FILE ), array(), VERSION );
	}

	/**
	 * A line to copy.
	 *
	 * @param string $id    of the element.
	 * @param string $label what it is for.
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
	 * The content of a new page that was begun from here.
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
	 * Whether a new page was begun from here.
	 *
	 * @param mixed $post the new one.
	 */
	private static function is_begun( $post ): bool {
		// phpcs:ignore WordPress.Security.NonceVerification -- only fills in an empty page.
		return isset( $_GET[ self::BEGIN ] ) && $post instanceof \WP_Post && 'page' === $post->post_type;
	}
}
