<?php
/**
 * Authorization rules for tickets.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Decides for the current person. */
final class Rights {
	/**
	 * Returns the reason why the current person may not use a ticket; null if the person may.
	 *
	 * @param string $nonce What came as X-WP-Nonce.
	 */
	public static function refusal( string $ticket, string $nonce ): ?\WP_Error {
		$bound = Ticket::read( $ticket );
		// The ticket is from the page before an edit. The script fetches the page again.
		if ( null === $bound || ( '' !== Ticket::edited( $bound['post'] ) && Ticket::edited( $bound['post'] ) !== $bound['edited'] ) ) {
			return self::error( 'lianmai_ticket', __( 'The page is out of date. Reload it and try again.', 'lianmai' ), 400 );
		}
		if ( in_array( $bound['action'], array( 'room', 'chat' ), true ) ) {
			return self::room_refusal( $bound, $nonce );
		}
		return 'play' === $bound['action'] ? self::play_refusal( $bound ) : self::publish_refusal( $bound, $nonce );
	}

	/**
	 * Returns the role of the current person in the room of a ticket; '' for none. Visitors have none: the gateway lets them
	 * watch without a token, unless playback needs a token.
	 *
	 * @param array{post: int, stream: string, action: string, limits: array{roles: array<int, string>, users: array<int, string>}, edited: string} $bound
	 * @param string $nonce What came as X-WP-Nonce.
	 */
	public static function room_role( array $bound, string $nonce ): string {
		if ( ! self::is_readable( $bound['post'] ) ) {
			return '';
		}
		$closed = Settings::play_tokens() && ! self::is_approved( $bound['post'] );
		$user   = self::person( $nonce );
		if ( null === $user ) {
			return Settings::play_tokens() && ! $closed ? 'audience' : '';
		}
		$host = user_can( $user, Capability::HOST ) && self::is_within( $bound['limits'], $user );
		/**
		 * Filters the role of a logged-in person in a room.
		 *
		 * @param string   $role `host`, `guest` (may publish), `audience`, or '' for none.
		 * @param \WP_User $user who asks.
		 * @param string   $room its name, with the prefix of the site.
		 * @param int      $post whose page shows the room; 0: a template or widget.
		 */
		$role = apply_filters( 'lianmai_room_role', $host ? 'host' : 'audience', $user, $bound['stream'], $bound['post'] );
		if ( ! in_array( $role, Room::ROLES, true ) || ( 'audience' === $role && $closed ) ) {
			return '';
		}
		// A chat does not publish, and must not open the room.
		return 'chat' === $bound['action'] ? 'audience' : $role;
	}

	/**
	 * Checks the login cookie and a nonce: publishing shows a camera to the world, so only the person at this browser may
	 * start it. Application passwords and login methods of other plugins do not count.
	 *
	 * @param array{post: int, stream: string, action: string, limits: array{roles: array<int, string>, users: array<int, string>}, edited: string} $bound
	 */
	private static function publish_refusal( array $bound, string $nonce ): ?\WP_Error {
		$user = self::person( $nonce );
		if ( null === $user ) {
			return self::error( 'lianmai_login', __( 'Log in to publish.', 'lianmai' ), 401 );
		}
		if ( ! self::is_readable( $bound['post'] ) || ! current_user_can( Capability::NAME ) || ! self::is_within( $bound['limits'], $user ) ) {
			return self::error( 'lianmai_denied', __( 'You may not publish here.', 'lianmai' ), 403 );
		}
		return null;
	}

	/** @param array{post: int, stream: string, action: string, limits: array{roles: array<int, string>, users: array<int, string>}, edited: string} $bound */
	private static function room_refusal( array $bound, string $nonce ): ?\WP_Error {
		if ( '' !== self::room_role( $bound, $nonce ) ) {
			return null;
		}
		return null === self::person( $nonce )
			? self::error( 'lianmai_login', __( 'Log in to take part under your name.', 'lianmai' ), 401 )
			: self::error( 'lianmai_denied', __( 'You have no role in this room.', 'lianmai' ), 403 );
	}

	/** Returns the user of the login cookie of the requesting page; null if there is none. */
	public static function person( string $nonce ): ?\WP_User {
		$user = wp_get_current_user();
		$is   = $user->exists() && wp_validate_auth_cookie( '', 'logged_in' ) === $user->ID && wp_verify_nonce( $nonce, 'wp_rest' );
		return $is ? $user : null;
	}

	/** @param array{post: int, stream: string, action: string, limits: array{roles: array<int, string>, users: array<int, string>}, edited: string} $bound */
	private static function play_refusal( array $bound ): ?\WP_Error {
		if ( self::is_readable( $bound['post'] ) && self::is_approved( $bound['post'] ) ) {
			return null;
		}
		return is_user_logged_in()
			? self::error( 'lianmai_denied', __( 'You may not watch this.', 'lianmai' ), 403 )
			: self::error( 'lianmai_login', __( 'Log in to watch this, or enter the page’s password.', 'lianmai' ), 401 );
	}

	/** Returns whether the person may read a post, and has entered its password. For the site itself, plugins for private networks decide. */
	private static function is_readable( int $id ): bool {
		if ( Holder::SITE === $id ) {
			return (int) get_option( 'blog_public' ) >= 0 || current_user_can( 'read' );
		}
		$post = $id > 0 ? get_post( $id ) : null;
		if ( null === $post || in_array( get_post_status( $post ), array( 'trash', 'auto-draft', false ), true ) ) {
			return false;
		}
		return ( is_post_publicly_viewable( $post ) || current_user_can( 'read_post', $post->ID ) ) && ! post_password_required( $post );
	}

	/**
	 * Returns whether a post is approved: it is published, or its author or the current person may publish it. Otherwise
	 * authors of drafts could watch any stream by naming it in a draft.
	 */
	private static function is_approved( int $id ): bool {
		if ( Holder::SITE === $id ) {
			// A template or widget is approved by people who may edit the theme.
			return true;
		}
		$status = get_post_status_object( (string) get_post_status( $id ) );
		return ( null !== $status && ( $status->public || $status->private ) )
			|| user_can( (int) get_post_field( 'post_author', $id ), Capability::NAME )
			|| current_user_can( Capability::NAME );
	}

	/**
	 * Returns whether a page's `roles` and `users` allow a person: one of the roles, or one of the users.
	 *
	 * @param array{roles: array<int, string>, users: array<int, string>} $limits
	 */
	private static function is_within( array $limits, \WP_User $user ): bool {
		if ( array() === $limits['roles'] && array() === $limits['users'] ) {
			return true;
		}
		if ( array() !== array_intersect( $limits['roles'], $user->roles ) ) {
			return true;
		}
		foreach ( $limits['users'] as $name ) {
			// A number is an id: a person with the login name "7" is not user 7.
			$is = ctype_digit( $name ) ? (string) $user->ID === $name : in_array( $name, array( $user->user_login, $user->user_nicename ), true );
			if ( $is ) {
				return true;
			}
		}
		return false;
	}

	private static function error( string $code, string $sentence, int $status ): \WP_Error {
		return new \WP_Error( $code, $sentence, array( 'status' => $status ) );
	}
}
