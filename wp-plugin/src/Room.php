<?php
/**
 * Rooms, in which hosts talk to each other while all others watch.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Names of rooms and of people, as the gateway takes them. */
final class Room {
	/** What a token may say. Without a token people watch. */
	public const ROLES = array( 'host', 'guest', 'audience' );

	/** Bytes of a room's name, with the prefix. */
	private const LONGEST = 64;

	/** Characters of a person's name. */
	private const NAME = 40;

	/** First parts of names that are addresses of the gateway. */
	private const RESERVED = array( 'api', 'rtc', 'sig', 'rooms', 'players', 'srs-player' );

	/**
	 * Whether a text can be the name of a room. It is also the application of the streams in it.
	 *
	 * @param string $name as written.
	 */
	public static function is_name( string $name ): bool {
		$one = '[^\s/\\\\?#%<>"\'`\p{C}.][^\s/\\\\?#%<>"\'`\p{C}]*';
		return strlen( $name ) <= self::LONGEST && preg_match( "~^{$one}(?:/{$one})*$~Du", $name )
			&& ! in_array( explode( '/', $name )[0], self::RESERVED, true );
	}

	/**
	 * The name on the gateway: on one that several sites share, all rooms of this site begin with its prefix.
	 *
	 * @param string $name as written.
	 */
	public static function full( string $name ): string {
		$prefix = Settings::prefix();
		return '' === $prefix || 0 === strpos( $name, $prefix . '/' ) ? $name : $prefix . '/' . $name;
	}

	/** The name under which a person is seen in rooms: as on this site. */
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
