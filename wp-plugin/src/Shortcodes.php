<?php
/**
 * [srs_player], [srs_publisher], [srs_room], [srs_rooms], [srs_chat], and [video] of a live stream.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The first two have the names from srs-player, so that existing pages continue to work. */
final class Shortcodes {
	/** Hooks into WordPress. */
	public static function register(): void {
		foreach ( Attributes::WHO as $who ) {
			add_shortcode(
				'srs_' . $who,
				static function ( $attributes ) use ( $who ): string {
					return self::shortcode( $who, $attributes );
				}
			);
		}
		add_filter( 'pre_do_shortcode_tag', array( self::class, 'with_other_quotes' ), 10, 4 );
		add_filter( 'wp_video_shortcode_override', array( self::class, 'video' ), 10, 2 );
	}

	/**
	 * Returns the HTML of a shortcode.
	 *
	 * @param string       $who        player or publisher.
	 * @param array|string $attributes as parsed by WordPress.
	 */
	public static function shortcode( string $who, $attributes ): string {
		$written = Sanitizer::named( (array) $attributes );
		return Renderer::render( $who, shortcode_atts( self::defaults( $who, $written ), $written, 'srs_' . $who ) );
	}

	/**
	 * Handles a shortcode with quotation marks that WordPress does not know. Returns false to leave it to WordPress.
	 *
	 * @param false|string $html       from another plugin, which takes precedence.
	 * @param string       $tag        of the shortcode.
	 * @param array|string $attributes as parsed by WordPress.
	 * @param array        $found      the parts of the shortcode.
	 * @return false|string
	 */
	public static function with_other_quotes( $html, $tag, $attributes, $found ) {
		$who     = preg_match( '/^srs_(player|publisher|rooms?|chat)$/D', (string) $tag, $is ) ? $is[1] : '';
		$written = is_array( $found ) && isset( $found[3] ) && is_string( $found[3] ) ? $found[3] : '';
		if ( false !== $html || '' === $who || '' === trim( $written ) ) {
			return $html;
		}
		$mended = Quotes::straighten( $written );
		return $mended === $written ? $html : self::shortcode( $who, shortcode_parse_atts( $mended ) );
	}

	/**
	 * Returns the defaults of shortcodes and addresses. Blocks have the defaults of the table, and store values that differ.
	 *
	 * @param string $who     player or publisher.
	 * @param array  $written by name.
	 * @return array<string, string|bool>
	 */
	public static function defaults( string $who, array $written ): array {
		$defaults = Attributes::defaults( $who );
		if ( 'player' === $who && Settings::autoplay() ) {
			// A player that waits for a press plays with audio.
			$begins   = Sanitizer::clean( $who, array( 'autoplay' => $written['autoplay'] ?? true ) )['autoplay'];
			$defaults = array(
				'autoplay' => true,
				'muted'    => $begins,
			) + $defaults;
		}
		return $defaults;
	}

	/**
	 * Replaces [video src="….m3u8"] by a player. As in core's shortcode, missing attributes are off.
	 *
	 * @param string       $html       from another plugin, which takes precedence.
	 * @param array|string $attributes as parsed by WordPress.
	 */
	public static function video( $html, $attributes ) {
		$written = Sanitizer::named( (array) $attributes );
		$urls    = array_filter( array( $written['src'] ?? '', $written['flv'] ?? '' ), 'is_string' );
		foreach ( $urls as $url ) {
			$url = (string) Sanitizer::address( $url );
			if ( '' === (string) $html && Address::live( $url ) ) {
				$off    = array_fill_keys( array( 'autoplay', 'muted' ), false );
				$shared = array_intersect_key( $written, array_flip( array( 'autoplay', 'muted', 'loop', 'preload', 'poster', 'width', 'height', 'class' ) ) );
				return Renderer::render( 'player', array( 'url' => $url ) + $shared + $off );
			}
		}
		return $html;
	}
}
