<?php
/**
 * Suggested text for a site's privacy policy.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * A text to copy. There is nothing to export or erase: stored data names nobody, or expires after a minute.
 */
final class Privacy {
	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'admin_init', array( self::class, 'suggest' ) );
	}

	/** Offers the text under Settings → Privacy. */
	public static function suggest(): void {
		$server = Settings::server();
		$host   = (string) wp_parse_url( $server, PHP_URL_HOST );
		$place  = '' === $host ? __( 'our media server', 'lianmai' ) : $host;
		$text   = '<p class="privacy-policy-tutorial">'
			. esc_html__( 'Lianmai stores its settings and a key. It stores nothing about visitors, sets no cookie and asks no third party. For a minute it counts how often a logged-in person asked to go live or entered a room.', 'lianmai' )
			. '</p><strong class="privacy-policy-tutorial">' . esc_html__( 'Suggested text:', 'lianmai' ) . ' </strong>'
			/* translators: %s: a server's name. */
			. '<p>' . esc_html( sprintf( __( 'When you play live video on this site, your browser connects to %s, which learns your IP address and your browser’s name, as any web server does. Nothing is loaded before you press play, unless the page plays by itself.', 'lianmai' ), $place ) ) . '</p>'
			/* translators: %s: a server's name. */
			. '<p>' . esc_html( sprintf( __( 'When you are logged in and go live, your picture and sound go to %s and from there to everybody who watches; with them goes the number of your account here.', 'lianmai' ), $place ) ) . '</p>'
			/* translators: %s: a server's name. */
			. '<p>' . esc_html( sprintf( __( 'When you enter a room or its chat, your browser connects to %s. When you are logged in, it also learns the number of your account and your display name, and everybody in the room sees that name with what you write. The room forgets its messages when it closes.', 'lianmai' ), $place ) ) . '</p>';
		wp_add_privacy_policy_content( __( 'Lianmai', 'lianmai' ), wp_kses_post( $text ) );
	}
}
