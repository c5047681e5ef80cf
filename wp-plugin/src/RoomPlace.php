<?php
/**
 * Server and name of a room, its chat or the list of rooms.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Creates the attributes for the server and the room, and the ticket of the page. */
final class RoomPlace {
	/**
	 * Returns the attributes, or a sentence about an error.
	 *
	 * @param string $who  one of Attributes::OF_ROOMS.
	 * @param array  $is   clean attributes.
	 * @param string $name of the room, as written.
	 * @return array{at?: array<string, string>, ticket?: string, token?: bool, relay?: bool, amiss?: string, settings?: bool}
	 */
	public static function of( string $who, array $is, string $name ): array {
		$server = '' !== $is['server'] ? $is['server'] : Settings::server();
		$ours   = Settings::server() === $server;
		$amiss  = self::amiss( $who, $is, $name, $server );
		if ( null !== $amiss ) {
			return $amiss;
		}
		$place = array(
			'at'     => array( 'server' => $server ),
			'ticket' => '',
			'token'  => false,
			'relay'  => false,
		);
		if ( 'rooms' === $who ) {
			if ( $ours && '' !== Settings::prefix() ) {
				$place['at']['prefix'] = Settings::prefix() . '/';
			}
			return $place;
		}
		$room = $ours ? Room::full( $is['room'] ) : $is['room'];
		if ( ! Room::is_name( $room ) ) {
			/* translators: %s: a room's name. */
			return array( 'amiss' => sprintf( __( 'Lianmai: “%s” is too long for the name of a room.', 'lianmai' ), $room ) );
		}
		$place['at']['room'] = $room;
		if ( ! $ours ) {
			// A token is valid on the server of the settings only. On other servers, everybody watches.
			return $place;
		}
		if ( Holder::is_in_loop_of_others() ) {
			return array( 'amiss' => __( 'Lianmai: a list of other posts (Query Loop) is no place for this, since the rights of those posts would count. Put it before or after the list.', 'lianmai' ) );
		}
		$post = Holder::id();
		if ( null !== $post ) {
			$limits          = array_filter( array_intersect_key( $is, array_flip( array( 'roles', 'users' ) ) ) );
			$place['ticket'] = Ticket::make( $post, $room, $who, $limits );
			$place['token']  = true;
			// Without this, the script does not ask for visitors.
			$place['at'] += Settings::play_tokens() ? array( 'data-all' => '' ) : array();
		}
		return $place;
	}

	/**
	 * Returns the error about a missing or invalid value; null if there is none.
	 *
	 * @param string $who    one of Attributes::OF_ROOMS.
	 * @param array  $is     clean attributes.
	 * @param string $name   of the room, as written.
	 * @param string $server of the room.
	 * @return array{amiss: string, settings?: bool}|null
	 */
	private static function amiss( string $who, array $is, string $name, string $server ): ?array {
		if ( 'rooms' !== $who && '' === $is['room'] ) {
			if ( '' !== $name ) {
				/* translators: %s: what somebody wrote. */
				return array( 'amiss' => sprintf( __( 'Lianmai: “%s” is not the name of a room. Write a short name without spaces, such as room="friday-show".', 'lianmai' ), $name ) );
			}
			return array( 'amiss' => __( 'Lianmai: give the name of a room, room="friday-show".', 'lianmai' ) );
		}
		if ( '' === $server ) {
			return array(
				'amiss'    => __( 'Lianmai: set the server under Settings → Lianmai, or name it here with server="https://your-server".', 'lianmai' ),
				'settings' => true,
			);
		}
		if ( Settings::server() === $server && 'lianmai' !== Settings::kind() ) {
			return array(
				'amiss'    => __( 'Lianmai: rooms need a Lianmai gateway, and the server of the settings is of another kind.', 'lianmai' ),
				'settings' => true,
			);
		}
		return null;
	}
}
