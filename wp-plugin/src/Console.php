<?php
/**
 * The button that opens the gateway's console.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Administrators log in to the console with a token of this site, which the gateway takes once (auth_operate). */
final class Console {
	public const ACTION = 'lianmai_console';

	/** Hooks the button in. */
	public static function register(): void {
		add_action( 'admin_post_' . self::ACTION, array( self::class, 'on_open' ) );
	}

	/** Whether a gateway can let administrators of this site in. One that several sites share belongs to none of them. */
	public static function is_possible(): bool {
		return 'lianmai' === Settings::kind() && '' !== Settings::server() && '' === Settings::prefix();
	}

	/** The button, on the page of the settings. */
	public static function show(): void {
		if ( ! self::is_possible() ) {
			return;
		}
		echo '<h2>' . esc_html__( 'Console of the gateway', 'lianmai' ) . '</h2>';
		// A new tab, since the settings stay open.
		echo '<form action="' . esc_url( admin_url( 'admin-post.php' ) ) . '" method="post" target="_blank"><input type="hidden" name="action" value="' . esc_attr( self::ACTION ) . '">';
		wp_nonce_field( self::ACTION );
		submit_button( __( 'Open the console', 'lianmai' ), 'secondary', 'submit', false );
		echo '<p class="description">' . esc_html__( 'Shows who is live, and ends connections. The gateway lets administrators of this site in if it runs with --auth-operate.', 'lianmai' ) . '</p>';
		echo '</form>';
	}

	/** Sends an administrator to the console with a token. It stands behind the #, so that no server logs it. */
	public static function on_open(): void {
		check_admin_referer( self::ACTION );
		if ( ! current_user_can( 'manage_options' ) || ! self::is_possible() ) {
			wp_die( esc_html__( 'You may not do this.', 'lianmai' ), '', array( 'response' => 403 ) );
		}
		nocache_headers();
		// phpcs:ignore WordPress.Security.SafeRedirect.wp_redirect_wp_redirect -- the administrator has entered this address.
		wp_redirect( self::address( get_current_user_id() ) );
		exit;
	}

	/** Where a user's browser logs in. */
	public static function address( int $user ): string {
		return Settings::server() . '/console/#' . Token::mint_for_console( $user );
	}
}
