<?php
/**
 * The ticket with which an element of a page requests a token.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Contains a post with the time of its last edit, a stream or room, and an action. It is the same for everybody, so pages
 * with it may be cached. It gives no rights: the person must have the right as well. It is encrypted, because it may name
 * people of the site.
 */
final class Ticket {
	private const LONGEST = 4096;

	/**
	 * `show` is for publishers on other servers: it asks who may see them, and gives no token. `room` and `chat` are for
	 * rooms: `room` lets hosts publish.
	 */
	private const ACTIONS = array( 'publish', 'play', 'show', 'room', 'chat' );

	/**
	 * Creates a ticket.
	 *
	 * @param int                              $post   The post whose page contains the element; Holder::SITE for none.
	 * @param string                           $stream `app/name`, or the name of a room.
	 * @param string                           $action one of ACTIONS.
	 * @param array<string, string|array<int, string|int>> $limits `roles` and `users`, lists or comma separated: they restrict the right.
	 */
	public static function make( int $post, string $stream, string $action, array $limits = array() ): string {
		$text    = (string) wp_json_encode(
			array(
				$post,
				$stream,
				$action,
				self::names( isset( $limits['roles'] ) ? $limits['roles'] : array() ),
				self::names( isset( $limits['users'] ) ? $limits['users'] : array() ),
				self::edited( $post ),
			),
			JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
		);
		$payload = Base64Url::encode( self::encrypt( $text ) );
		return $payload . '.' . self::sign( $payload );
	}

	/**
	 * Returns the content of a ticket; null if this site did not create it.
	 *
	 * @return array{post: int, stream: string, action: string, limits: array{roles: array<int, string>, users: array<int, string>}, edited: string}|null
	 */
	public static function read( string $ticket ): ?array {
		$parts = strlen( $ticket ) <= self::LONGEST ? explode( '.', $ticket ) : array();
		if ( 2 !== count( $parts ) || ! hash_equals( self::sign( $parts[0] ), $parts[1] ) ) {
			return null;
		}
		$payload = (string) Base64Url::decode( $parts[0] );
		$text    = self::decrypt( $payload );
		$fields  = json_decode( null === $text ? $payload : $text, true );
		if ( ! is_array( $fields ) || array( 0, 1, 2, 3, 4, 5 ) !== array_keys( $fields )
			|| ! is_int( $fields[0] ) || ! is_string( $fields[1] ) || ! in_array( $fields[2], self::ACTIONS, true )
			|| ! is_array( $fields[3] ) || ! is_array( $fields[4] ) || ! is_string( $fields[5] )
		) {
			return null;
		}
		if ( null === $text && 'play' === $fields[2] && ! self::is_named_in( $fields[0], $fields[1] ) ) {
			return null;
		}
		return array(
			'post'   => $fields[0],
			'stream' => $fields[1],
			'action' => $fields[2],
			'limits' => array(
				'roles' => array_map( 'strval', $fields[3] ),
				'users' => array_map( 'strval', $fields[4] ),
			),
			'edited' => $fields[5],
		);
	}

	/**
	 * Returns the time of the last edit of a post. Older tickets are invalid after an edit that removes or restricts elements.
	 *
	 * @param int $post Its id.
	 */
	public static function edited( int $post ): string {
		$found = $post > 0 ? get_post( $post ) : null;
		return null === $found ? '' : (string) $found->post_modified_gmt;
	}

	/**
	 * @param mixed $names A list, or names with commas between them.
	 * @return array<int, string>
	 */
	private static function names( $names ): array {
		$list = array();
		foreach ( is_array( $names ) ? $names : explode( ',', (string) $names ) as $name ) {
			$name = is_scalar( $name ) ? trim( (string) $name ) : '';
			if ( '' !== $name ) {
				$list[] = $name;
			}
		}
		return array_values( array_unique( $list ) );
	}

	/**
	 * Returns whether a post names a stream. Cached pages may contain tickets of version 0.1.0, which did not encrypt them,
	 * and also made them for posts in another author's Query Loop. Those posts do not name the stream.
	 */
	private static function is_named_in( int $id, string $stream ): bool {
		$post = $id > 0 ? get_post( $id ) : null;
		return null !== $post && false !== strpos( rawurldecode( $post->post_content ), $stream );
	}

	/** Encrypts a text. The nonce is derived from the text, so that the same text gives the same ticket. */
	private static function encrypt( string $text ): string {
		$nonce = substr( hash_hmac( 'sha256', $text, self::key( 'nonce' ), true ), 0, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES );
		return $nonce . sodium_crypto_secretbox( $text, $nonce, self::key( 'text' ) );
	}

	/** Decrypts a text from encrypt(); null for other texts. */
	private static function decrypt( string $bytes ): ?string {
		if ( strlen( $bytes ) < SODIUM_CRYPTO_SECRETBOX_NONCEBYTES + SODIUM_CRYPTO_SECRETBOX_MACBYTES ) {
			return null;
		}
		$nonce = substr( $bytes, 0, SODIUM_CRYPTO_SECRETBOX_NONCEBYTES );
		$text  = sodium_crypto_secretbox_open( substr( $bytes, strlen( $nonce ) ), $nonce, self::key( 'text' ) );
		return is_string( $text ) ? $text : null;
	}

	/** Derives a key of 32 bytes for one purpose. */
	private static function key( string $purpose ): string {
		return hash_hmac( 'sha256', 'lianmai ticket ' . $purpose . ' ' . get_current_blog_id(), wp_salt( 'auth' ), true );
	}

	private static function sign( string $payload ): string {
		// Include the number of the site, because all sites of a network have the same salt.
		$key = 'lianmai ticket ' . get_current_blog_id() . ' ' . wp_salt( 'auth' );
		return Base64Url::encode( hash_hmac( 'sha256', $payload, $key, true ) );
	}
}
