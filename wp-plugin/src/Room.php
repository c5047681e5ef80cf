<?php
/**
 * Rooms: hosts talk to each other, and all others watch.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Names of rooms and people in the form that the gateway accepts. */
final class Room {
	/** Roles in tokens. People without a token watch. */
	public const ROLES = array( 'host', 'guest', 'audience' );

	/** Maximum length of a room's name in bytes, with the prefix. */
	private const LONGEST = 64;

	/** Maximum length of a person's name in characters. */
	private const NAME = 40;

	/** First parts of names that are reserved for addresses of the gateway. */
	private const RESERVED = array( 'api', 'rtc', 'sig', 'rooms', 'players', 'srs-player' );

	/**
	 * Returns whether a text can be the name of a room. The name is also the application of the streams in the room.
	 *
	 * @param string $name as written.
	 */
	public static function is_name( string $name ): bool {
		$one = '[^\s/\\\\?#%<>"\'`\p{C}.][^\s/\\\\?#%<>"\'`\p{C}]*';
		return strlen( $name ) <= self::LONGEST && preg_match( "~^{$one}(?:/{$one})*$~Du", $name )
			&& ! in_array( explode( '/', $name )[0], self::RESERVED, true );
	}

	/**
	 * Returns the name on the gateway. If several sites share a gateway, all rooms of this site begin with its prefix.
	 *
	 * @param string $name as written.
	 */
	public static function full( string $name ): string {
		$prefix = Settings::prefix();
		return '' === $prefix || 0 === strpos( $name, $prefix . '/' ) ? $name : $prefix . '/' . $name;
	}

	/** Returns the person's name in rooms, which is the name on this site. */
	public static function name_of( \WP_User $user ): string {
		foreach ( array( $user->display_name, $user->user_nicename ) as $name ) {
			$seen = trim( (string) preg_replace( '/(?![\x{200c}\x{200d}])[\p{C}\p{Z}]+/u', ' ', wp_specialchars_decode( (string) $name, ENT_QUOTES ) ) );
			if ( '' !== $seen ) {
				return trim( mb_substr( $seen, 0, self::NAME ) );
			}
		}
		return (string) $user->ID;
	}
}
