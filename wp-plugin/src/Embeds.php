<?php
/**
 * A stream's address on a line of its own becomes a player.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** WordPress does so with addresses of http(s); those of webrtc:// it does not know. */
final class Embeds {
	/** Hooks into WordPress. */
	public static function register(): void {
		wp_embed_register_handler( 'lianmai', '~^(?:webrtc|https?)://\S+$~i', array( self::class, 'embed' ), 5 );
		// Before WordPress's own search for addresses.
		foreach ( array( 'the_content', 'widget_text_content', 'widget_block_content' ) as $hook ) {
			add_filter( $hook, array( self::class, 'lines' ), 7 );
		}
	}

	/**
	 * An address that WordPress found, or the content of [embed]; false leaves it to others.
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
	 * The player of an address.
	 *
	 * @param string $url of a stream.
	 */
	private static function player( string $url ): string {
		return Renderer::render( 'player', array( 'url' => $url ) + Shortcodes::defaults( 'player', array() ) );
	}

	/**
	 * Content with players for webrtc:// addresses that have a line or a paragraph of their own. In code and
	 * preformatted text addresses stay what they are, also those that WordPress would find there.
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
