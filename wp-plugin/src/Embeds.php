<?php
/**
 * Replaces the address of a stream on its own line by a player.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** WordPress finds addresses of http(s). This class finds those of webrtc:// too. */
final class Embeds {
	/** Hooks into WordPress. */
	public static function register(): void {
		wp_embed_register_handler( 'lianmai', '~^(?:webrtc|https?)://\S+$~i', array( self::class, 'embed' ), 5 );
		// Run before WordPress's own search for addresses.
		foreach ( array( 'the_content', 'widget_text_content', 'widget_block_content' ) as $hook ) {
			add_filter( $hook, array( self::class, 'lines' ), 7 );
		}
	}

	/**
	 * Handles an address that WordPress has found, or the content of [embed]. Returns false for other addresses.
	 *
	 * @param array  $found      matches of the pattern.
	 * @param array  $attributes of [embed].
	 * @param string $url        the address.
	 * @return string|false
	 */
	public static function embed( $found, $attributes, $url ) {
		return Address::live( (string) $url ) ? self::player( (string) $url ) : false;
	}

	/**
	 * Returns the player for an address.
	 *
	 * @param string $url of a stream.
	 */
	private static function player( string $url ): string {
		return Renderer::render( 'player', array( 'url' => $url ) + Shortcodes::defaults( 'player', array() ) );
	}

	/**
	 * Replaces webrtc:// addresses on their own line or paragraph by players. In code and preformatted text, all addresses
	 * stay unchanged, including those that WordPress would replace.
	 *
	 * @param string $content HTML.
	 */
	public static function lines( $content ) {
		if ( ! is_string( $content ) || ! preg_match( '~webrtc://|\.(?:m3u8|flv)\b~i', $content ) ) {
			return $content;
		}
		$with = preg_replace_callback(
			'~<(pre|code|script|style|textarea)\b[^>]*>.*?</\1\s*>|<!--.*?-->(*SKIP)(*FAIL)'
			. '|(<p(?:\s[^>]*)?>\s*)(webrtc://[^\s<>"]+)(\s*</p>)|^([ \t]*)(webrtc://[^\s<>"]+)([ \t]*)\r?$~ims',
			static function ( array $is ): string {
				if ( '' !== $is[1] ) {
					return (string) preg_replace( '~^(\s*https?):(?=//\S+\s*$)~im', '$1&#58;', $is[0] );
				}
				$url = '' !== ( $is[3] ?? '' ) ? $is[3] : $is[6];
				return Address::live( $url ) ? self::player( $url ) : $is[0];
			},
			$content
		);
		return $with ?? $content;
	}
}
