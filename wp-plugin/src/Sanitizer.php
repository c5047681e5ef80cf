<?php
/**
 * Sanitises the values of attributes.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Has one method for each type of the attribute table. A method accepts any input, and returns a safe value,
 * or null for invalid input.
 */
final class Sanitizer {
	/** Schemes that a player or publisher knows. The player explains that browsers cannot play rtmp. */
	public const SCHEMES = array( 'http', 'https', 'ws', 'wss', 'webrtc', 'rtmp' );

	/** Maximum lengths in characters: of a sentence, an address, a list of names. */
	private const TEXT    = 300;
	private const ADDRESS = 2048;
	private const LIST    = 1000;

	/**
	 * Returns all attributes of a kind: the written values if they are valid, else the defaults.
	 *
	 * @param string $who player or publisher.
	 * @param array  $raw as written in a shortcode or block; a name without a value is a key with a number.
	 * @return array<string, string|bool>
	 */
	public static function clean( string $who, array $raw ): array {
		$rows  = Attributes::of( $who );
		$clean = Attributes::defaults( $who );
		foreach ( self::named( $raw ) as $name => $value ) {
			if ( isset( $rows[ $name ] ) ) {
				$type           = $rows[ $name ]['type'];
				$clean[ $name ] = self::$type( $value, array( 'name' => $name ) + $rows[ $name ] ) ?? $clean[ $name ];
			}
		}
		if ( ! isset( $clean['url'] ) ) {
			return $clean;
		}
		if ( '' === $clean['url'] ) {
			$clean['url'] = $clean['src'];
		}
		return self::with_stream_as_written( $clean, (string) self::bare( self::named( $raw )['stream'] ?? '' ) );
	}

	/**
	 * Corrects the name of a stream: people often write its address, or a name with a suffix.
	 *
	 * @param array<string, string|bool> $clean   attributes.
	 * @param string                     $written as the name.
	 * @return array<string, string|bool>
	 */
	private static function with_stream_as_written( array $clean, string $written ): array {
		if ( '' !== $clean['url'] ) {
			return $clean;
		}
		$path = (string) preg_replace( '/[?#].*$/s', '', $written );
		if ( 'auto' === ( $clean['protocol'] ?? '' ) && '' !== $clean['stream'] && preg_match( '/\.(flv|m3u8|ts)$/i', $path, $ending ) ) {
			$clean['protocol'] = 'm3u8' === strtolower( $ending[1] ) ? 'hls' : strtolower( $ending[1] );
		}
		if ( ! preg_match( '~^(?:[a-z]+:)?//[^/]+~i', $written, $origin ) ) {
			return $clean;
		}
		$clean['stream'] = '';
		$name            = self::stream( substr( $path, strlen( $origin[0] ) ) );
		if ( null !== $name && preg_match( '~^https?:~i', $written ) && '' === Address::stream( $written ) ) {
			// A player cannot tell the protocol of an address without a suffix.
			$clean['server'] = self::server( $origin[0] ) ?? $clean['server'];
			$clean['stream'] = $name;
			return $clean;
		}
		$clean['url'] = self::address( $written ) ?? '';
		return $clean;
	}

	/**
	 * Returns the attributes with names in lower case. Names without a value are on: `[srs_player muted]`.
	 *
	 * @param array $raw as written.
	 */
	public static function named( array $raw ): array {
		$named = array();
		foreach ( $raw as $name => $value ) {
			if ( is_string( $name ) ) {
				$named[ strtolower( $name ) ] = $value;
			} elseif ( is_string( $value ) && preg_match( '/^[a-z]+$/i', $value ) ) {
				$named[ strtolower( $value ) ] = true;
			}
		}
		return $named;
	}

	/**
	 * Returns on or off, by the rules of HTML, core's shortcodes and srs-player. Other values are off, as in srs-player.
	 *
	 * @param mixed $value as written.
	 * @param array $row   of the table.
	 */
	private static function boolean( $value, array $row ): ?bool {
		if ( is_bool( $value ) || is_int( $value ) ) {
			return (bool) $value;
		}
		$text = self::bare( $value );
		if ( null === $text ) {
			return null;
		}
		return in_array( strtolower( $text ), array( '1', 'true', 'on', 'yes', $row['name'] ), true );
	}

	/**
	 * Returns one of the row's choices.
	 *
	 * @param mixed $value as written.
	 * @param array $row   of the table.
	 */
	private static function choice( $value, array $row ): ?string {
		$text = strtolower( (string) self::bare( $value ) );
		return in_array( $text, $row['choices'], true ) ? $text : null;
	}

	/**
	 * Returns an integer within the row's bounds.
	 *
	 * @param mixed $value as written.
	 * @param array $row   of the table.
	 */
	private static function integer( $value, array $row ): ?string {
		$text = (string) self::bare( $value );
		if ( ! preg_match( '/^\d{1,9}$/D', $text ) ) {
			return null;
		}
		return (string) max( $row['min'], min( $row['max'], (int) $text ) );
	}

	/**
	 * Returns pixels (a bare number, or with px) or per cent.
	 *
	 * @param mixed $value as written.
	 */
	private static function width( $value ): ?string {
		if ( ! preg_match( '/^0*(\d{1,5})(?:\.\d+)?(px|%)?$/iD', (string) self::bare( $value ), $is ) || 0 === (int) $is[1] ) {
			return null;
		}
		return '%' === ( $is[2] ?? '' ) ? min( 100, (int) $is[1] ) . '%' : $is[1] . 'px';
	}

	/**
	 * Pixels.
	 *
	 * @param mixed $value as written.
	 */
	private static function height( $value ): ?string {
		$pixels = self::width( $value );
		return null === $pixels || '%' === substr( $pixels, -1 ) ? null : $pixels;
	}

	/**
	 * Returns an aspect ratio, `16:9` or `16/9`.
	 *
	 * @param mixed $value as written.
	 */
	private static function ratio( $value ): ?string {
		return preg_match( '~^([1-9]\d{0,3})\s*[:/]\s*([1-9]\d{0,3})$~D', (string) self::bare( $value ), $is ) ? $is[1] . ':' . $is[2] : null;
	}

	/**
	 * Returns names of CSS classes, separated by spaces.
	 *
	 * @param mixed $value as written.
	 */
	public static function classes( $value ): ?string {
		$text = self::bare( $value );
		if ( null === $text ) {
			return null;
		}
		$names = preg_grep( '/^-?[A-Za-z_][\w-]{0,99}$/D', explode( ' ', $text ) );
		return implode( ' ', array_unique( array_slice( $names, 0, 20 ) ) );
	}

	/**
	 * Returns text without markup.
	 *
	 * @param mixed $value as written.
	 */
	private static function text( $value ): ?string {
		$text = self::line( $value );
		if ( null === $text ) {
			return null;
		}
		// Remove invisible characters, except the joiners that scripts and emoji need.
		$seen = (string) preg_replace( '/(?![\x{200c}\x{200d}])[\p{C}\p{Zl}\p{Zp}]+/u', ' ', $text );
		return mb_substr( sanitize_text_field( $seen ), 0, self::TEXT );
	}

	/**
	 * Returns the beginning of a value for an error message; empty if the value is not text.
	 *
	 * @param mixed $value as written.
	 */
	public static function excerpt( $value ): string {
		return mb_substr( (string) self::text( $value ), 0, 80 );
	}

	/**
	 * Returns roles or people, separated by commas. They restrict the right: an invalid list allows nobody, never everybody.
	 *
	 * @param mixed $value as written.
	 */
	private static function names( $value ): string {
		if ( null === $value || is_bool( $value ) ) {
			return '';
		}
		$text = self::line( is_array( $value ) ? implode( ',', array_filter( $value, 'is_scalar' ) ) : $value );
		if ( null === $text || strlen( $text ) > self::LIST ) {
			return '?';
		}
		$names = array_filter( array_map( array( Quotes::class, 'strip' ), explode( ',', $text ) ), 'strlen' );
		$valid = preg_grep( '/^[\p{L}\p{N} ._@-]{1,60}$/Du', $names );
		return array() === $valid && '' !== trim( $text, ' ,' ) ? '?' : implode( ',', $valid );
	}

	/**
	 * Returns `app/name` in the form that a gateway allows. Removes the query of a stream key (`name?secret=…`) and the
	 * suffix of a path (`/live/name.flv`).
	 *
	 * @param mixed $value as written.
	 */
	private static function stream( $value ): ?string {
		$path = (string) preg_replace( '/[?#].*$/s', '', (string) self::bare( $value ) );
		$name = trim( (string) preg_replace( '~(?:/whip/?|/whep/?|\.flv|\.m3u8|\.ts)$~i', '', trim( $path ) ), '/ ' );
		$one  = '[^\s/\\\\?#%<>"\'`\p{C}.][^\s/\\\\?#%<>"\'`\p{C}]{0,127}';
		return strlen( $name ) <= 512 && preg_match( "~^{$one}(?:/{$one})+$~Du", $name ) ? $name : null;
	}

	/**
	 * Returns the name of a room in the form that a gateway allows, which is that of an application.
	 *
	 * @param mixed $value as written.
	 */
	private static function room( $value ): ?string {
		$name = trim( (string) preg_replace( '/[?#].*$/s', '', (string) self::bare( $value ) ), '/ ' );
		return Room::is_name( $name ) ? $name : null;
	}

	/**
	 * Returns the address of a server without a slash at the end, user name and password.
	 *
	 * @param mixed $value as written.
	 */
	private static function server( $value ): ?string {
		$url = self::address( Address::without_stream( (string) self::bare( $value ) ) );
		return null !== $url && preg_match( '~^https?://[^?#]+$~D', $url ) ? rtrim( Secrets::strip_user( $url ), '/' ) : null;
	}

	/**
	 * Returns the address of an image or of captions.
	 *
	 * @param mixed $value as written.
	 */
	private static function file( $value ): ?string {
		$url = self::address( $value );
		return null !== $url && preg_match( '/^(?:wss?|webrtc|rtmp):/', $url ) ? null : $url;
	}

	/**
	 * Returns an address with an allowed scheme, or a relative one. Decodes all entities (`&amp;`), so that no client
	 * of the page finds another scheme than this check.
	 *
	 * @param mixed $value as written.
	 */
	public static function address( $value ): ?string {
		$text = self::line( $value );
		if ( null === $text || strlen( $text ) > self::ADDRESS ) {
			return null;
		}
		$text = Quotes::strip( $text );
		if ( '' === $text || preg_match( '/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u', $text ) ) {
			return null;
		}
		$text = (string) preg_replace_callback(
			'/[ "\'<>\\\\^`{|}]/',
			static function ( array $is ): string {
				return rawurlencode( $is[0] );
			},
			$text
		);
		$host = '(?:[^\s/?#@]*@)?(?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]%]+)(?::\d{1,5})?(?=[/?#]|$)';
		if ( preg_match( '~^([^/?#:]*):~', $text, $is ) ) {
			$scheme = strtolower( $is[1] );
			return in_array( $scheme, self::SCHEMES, true ) && preg_match( "~^[^:]*://{$host}~i", $text )
				? $scheme . substr( $text, strlen( $scheme ) )
				: null;
		}
		return 0 !== strpos( $text, '//' ) || preg_match( "~^//{$host}~i", $text ) ? $text : null;
	}

	/**
	 * Removes quotation marks around a value.
	 *
	 * @param mixed $value as written.
	 */
	private static function bare( $value ): ?string {
		$text = self::line( $value );
		return null === $text ? null : Quotes::strip( $text );
	}

	/**
	 * Returns one line of valid UTF-8 with decoded entities and without white space around it; null for other input.
	 *
	 * @param mixed $value as written.
	 */
	private static function line( $value ): ?string {
		if ( ! is_scalar( $value ) || is_bool( $value ) ) {
			return null;
		}
		$text = (string) $value;
		if ( strlen( $text ) > 8192 || ! preg_match( '//u', $text ) ) {
			return null;
		}
		for ( $depth = 0; $depth < 5; $depth++ ) {
			$plain = html_entity_decode( $text, ENT_QUOTES | ENT_HTML5, 'UTF-8' );
			if ( $plain === $text ) {
				return (string) preg_replace( '/^[\s\x{a0}]+|[\s\x{a0}]+$/u', '', $text );
			}
			$text = $plain;
		}
		return null;
	}
}
