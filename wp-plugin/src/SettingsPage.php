<?php
/**
 * The page Settings → Lianmai.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Shows the form, the connection test, shortcodes to paste, and the command line for the gateway. */
final class SettingsPage {
	public const SLUG = 'lianmai';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'admin_menu', array( self::class, 'menu' ) );
		add_action( 'admin_init', array( SettingsFields::class, 'announce' ) );
		add_filter( 'plugin_action_links_' . plugin_basename( FILE ), array( self::class, 'link' ) );
	}

	/** Returns the address of the page. */
	public static function address(): string {
		return admin_url( 'options-general.php?page=' . self::SLUG );
	}

	/** Adds the page to the menu, with its help. */
	public static function menu(): void {
		$hook = add_options_page( __( 'Lianmai', 'lianmai' ), __( 'Lianmai', 'lianmai' ), 'manage_options', self::SLUG, array( self::class, 'show' ) );
		if ( is_string( $hook ) ) {
			add_action( 'load-' . $hook, array( self::class, 'help' ) );
			add_action( 'load-' . $hook, array( self::class, 'enqueue' ) );
			add_action( 'load-' . $hook, array( ConnectionTest::class, 'enqueue' ) );
		}
	}

	/** Loads the script and style of the page. */
	public static function enqueue(): void {
		wp_enqueue_script( 'lianmai-settings', plugins_url( 'assets/settings.js', FILE ), array(), VERSION, true );
		Starter::enqueue_lines();
	}

	/**
	 * Adds the link "Settings" to the list of plugins.
	 *
	 * @param array<int|string, string> $links
	 * @return array<int|string, string>
	 */
	public static function link( array $links ): array {
		if ( current_user_can( 'manage_options' ) ) {
			array_unshift( $links, '<a href="' . esc_url( self::address() ) . '">' . esc_html__( 'Settings', 'lianmai' ) . '</a>' );
		}
		return $links;
	}

	/** The page. */
	public static function show(): void {
		if ( ! current_user_can( 'manage_options' ) ) {
			return;
		}
		echo '<div class="wrap lianmai-settings" data-kind="' . esc_attr( Settings::kind() ) . '"><h1>' . esc_html__( 'Lianmai', 'lianmai' ) . '</h1>';
		// phpcs:ignore WordPress.Security.NonceVerification -- only chooses a sentence.
		if ( isset( $_GET['lianmai_done'] ) && 'rotated' === $_GET['lianmai_done'] ) {
			self::notice( __( 'There is a new key, and the old one counts no more. Gateways that read the address get the new one by themselves; give the others the new file.', 'lianmai' ) );
		}
		// phpcs:ignore WordPress.Security.NonceVerification -- only chooses a sentence.
		if ( isset( $_GET['lianmai_done'] ) && 'activated' === $_GET['lianmai_done'] ) {
			self::notice( __( 'Lianmai is active. Enter your media server’s address to begin.', 'lianmai' ) );
		}
		$moved = PostSecrets::last_report();
		if ( '' !== $moved ) {
			self::notice( $moved );
		}
		self::show_steps();
		echo '<form action="' . esc_url( admin_url( 'options.php' ) ) . '" method="post">';
		settings_fields( Settings::GROUP );
		do_settings_sections( self::SLUG );
		submit_button();
		echo '</form>';
		if ( 'lianmai' === Settings::kind() ) {
			self::show_gateway();
		}
		Console::show();
		ConnectionTest::show();
		Starter::show();
		echo '</div>';
	}

	/** Prints the first steps while no server is set. */
	private static function show_steps(): void {
		if ( '' !== Settings::server() ) {
			return;
		}
		echo '<div class="lianmai-steps"><p>' . esc_html__( 'Live video on this site, in three steps:', 'lianmai' ) . '</p><ol><li>'
			. esc_html__( 'Enter the address of your media server, choose its kind, and save.', 'lianmai' ) . '</li><li>'
			. esc_html__( 'Press “Test connection”.', 'lianmai' ) . '</li><li>'
			. esc_html__( 'Paste a line into a post: it will stand at the end of this page.', 'lianmai' ) . '</li></ol></div>';
	}

	/** Adds explanations of the fields to the Help button. */
	public static function help(): void {
		$screen = get_current_screen();
		if ( null === $screen ) {
			return;
		}
		$screen->add_help_tab(
			array(
				'id'      => 'lianmai',
				'title'   => __( 'Publishing', 'lianmai' ),
				'content' => '<p>' . esc_html__( 'Whoever has the right “lianmai_publish” may publish from a page with [srs_publisher] or the block “Live publisher”: authors, editors and administrators, unless a role editor says otherwise.', 'lianmai' ) . '</p><p>'
					. esc_html__( 'Whoever has the right “lianmai_host” is a host of the rooms on pages with [srs_room] or the block “Live room”: the same roles to begin with. Other people who are logged in watch and write under their name, and visitors under one that they choose.', 'lianmai' ) . '</p><p>'
					. esc_html__( 'A Lianmai gateway gets this site’s public key and trusts the tokens signed with it. An SRS or Oryx server gets the shared secret from this site, never from the page.', 'lianmai' ) . '</p><p>'
					. esc_html__( 'Constants in wp-config.php come before what is entered here: LIANMAI_SERVER and LIANMAI_SECRET. On a network they count for every site.', 'lianmai' ) . '</p>',
			)
		);
	}

	/** Prints the settings for the gateway. */
	private static function show_gateway(): void {
		$set = rest_url( Rest::SPACE . '/jwks' );
		echo '<h2>' . esc_html__( 'Let the gateway trust this site', 'lianmai' ) . '</h2>';
		if ( '' === Settings::prefix() ) {
			echo '<p>' . esc_html__( 'Start the gateway with this line, or set the same in lianmai.toml:', 'lianmai' ) . '</p>';
			Starter::line( 'lianmai-serve', __( 'The line for the gateway', 'lianmai' ), self::command( $set, Token::issuer() ) );
			echo '<p>' . esc_html__( 'If several sites share the gateway, give each a prefix under Advanced: this line then lets this site publish its own streams only.', 'lianmai' ) . '</p>';
		} else {
			self::show_shared( Settings::prefix() . '/=' . $set );
		}
		printf(
			'<p>%1$s <a href="%2$s">%3$s</a></p>',
			esc_html__( 'This site’s public key:', 'lianmai' ),
			esc_url( $set ),
			esc_html( $set )
		);
		printf(
			'<p>%1$s <a href="%2$s" download="lianmai-jwks.json">%3$s</a></p>',
			esc_html__( 'A gateway that cannot reach this site takes it as a file after --auth-jwks:', 'lianmai' ),
			esc_url( $set ),
			esc_html__( 'download lianmai-jwks.json', 'lianmai' )
		);
		echo '<form action="' . esc_url( admin_url( 'admin-post.php' ) ) . '" method="post"><input type="hidden" name="action" value="lianmai_rotate">';
		wp_nonce_field( 'lianmai_rotate' );
		submit_button( __( 'Make a new key', 'lianmai' ), 'secondary', 'submit', false );
		echo '<p class="description">' . esc_html__( 'When the old one may be known to somebody: it counts no more from then on.', 'lianmai' ) . '</p>';
		echo '</form>';
	}

	/**
	 * Prints the settings for a gateway that several sites share.
	 *
	 * @param string $entry of this site in auth_jwks.
	 */
	private static function show_shared( string $entry ): void {
		/* translators: %s: what the names of streams begin with, such as news/. */
		echo '<p>' . esc_html( sprintf( __( 'The gateway trusts this site for the streams that begin with %s, and each other site for its own. Add this entry to its auth_jwks:', 'lianmai' ), Settings::prefix() . '/' ) ) . '</p>';
		Starter::line( 'lianmai-entry', __( 'In lianmai.toml, in the list jwks below [auth]', 'lianmai' ), '"' . $entry . '"' );
		// The gateway has one issuer setting, and each site is a different issuer.
		Starter::line( 'lianmai-serve', __( 'The line for a gateway that has no other site yet; further entries follow after a comma', 'lianmai' ), self::command( $entry, '' ) );
	}

	/**
	 * Returns the command line of a gateway that trusts this site.
	 *
	 * @param string $entry  of this site in auth_jwks.
	 * @param string $issuer of accepted tokens; '' for any trusted site.
	 */
	private static function command( string $entry, string $issuer ): string {
		$line = 'lianmai serve --public --auth-jwks ' . self::quoted( $entry );
		if ( '' !== $issuer ) {
			$line .= ' --auth-issuer ' . self::quoted( $issuer );
		}
		if ( 'lianmai' !== Settings::audience() ) {
			$line .= ' --auth-audience ' . self::quoted( Settings::audience() );
		}
		return Settings::play_tokens() ? $line . ' --auth-play' : $line;
	}

	private static function notice( string $sentence ): void {
		echo '<div class="notice notice-success is-dismissible"><p>' . esc_html( $sentence ) . '</p></div>';
	}

	private static function quoted( string $text ): string {
		return preg_match( '#^[A-Za-z0-9._~:/-]+$#D', $text ) ? $text : "'" . str_replace( "'", "'\\''", $text ) . "'";
	}
}
