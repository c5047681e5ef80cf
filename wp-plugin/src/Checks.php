<?php
/**
 * Checks for the players, publishers and rooms of a post.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Runs the tests of Site Health that concern the post, and checks whether its streams are live. Each check has a `state`
 * (good, problem, warning, or info), a `label`, and perhaps `advice`.
 */
final class Checks {
	/** Maps the states of Site Health to the states of this list. */
	private const STATES = array(
		'good'        => 'good',
		'critical'    => 'problem',
		'recommended' => 'warning',
	);

	/** Maximum number of streams to check at the server. */
	private const STREAMS = 5;

	/** @var array<int, array{state: string, label: string, advice: string}> */
	public $all = array();

	/** Port for RTMP on the server: 0 if none, null if not known. @var int|null */
	public $rtmp = null;

	/**
	 * Checks the elements of a post, in the order in which an author would fix problems.
	 *
	 * @param Elements $shown on the post's page.
	 */
	public static function of( Elements $shown ): self {
		$checks = new self();
		foreach ( $shown->notes as $note ) {
			$checks->add( 'problem', $note );
		}
		$checks->scheme( $shown );
		if ( $shown->are_here() ) {
			$checks->server( $shown );
		}
		return $checks;
	}

	/** Checks whether pages may load from the servers and use a camera. */
	private function scheme( Elements $shown ): void {
		$https = SiteHealth::https( $shown->are_here() ? null : '' );
		if ( 'critical' === $https['status'] || $shown->publish() ) {
			$this->take( $https );
		}
		foreach ( $shown->elsewhere() as $url ) {
			$mixed = SiteHealth::https( $url );
			if ( 'critical' === $mixed['status'] ) {
				/* translators: %s: an address. */
				$this->add( 'problem', sprintf( __( 'Browsers refuse to load %s: this site is HTTPS, and that address is not', 'lianmai' ), self::short( $url ) ) );
			} else {
				/* translators: %s: an address. */
				$this->add( 'info', sprintf( __( '%s is not on the server of the settings, so this site does not check it', 'lianmai' ), self::short( $url ) ) );
			}
		}
	}

	/** Checks whether the server of the settings answers, trusts this site's tokens, and has the streams. */
	private function server( Elements $shown ): void {
		if ( 'other' === Settings::kind() ) {
			return;
		}
		$tokens = $shown->publish() || Settings::play_tokens();
		$server = Gateway::ask();
		$this->take( SiteHealth::answered( $server ) );
		$reached    = ! is_wp_error( $server );
		$this->rtmp = $reached ? $server['rtmp'] : null;
		if ( $tokens && ( $reached || 'secret' === Settings::kind() ) ) {
			$this->take( SiteHealth::trust() );
		}
		if ( $tokens ) {
			$this->take( SiteHealth::rest() );
			$this->prefix( $shown );
		}
		foreach ( $reached ? array_slice( $shown->streams(), 0, self::STREAMS ) : array() as $stream ) {
			$this->live( $stream );
		}
		$rooms = $reached ? array_slice( $shown->rooms(), 0, self::STREAMS ) : array();
		$open  = array() === $rooms ? null : Gateway::rooms();
		foreach ( $rooms as $room ) {
			$this->room( $room, $open );
		}
	}

	/**
	 * Checks whether a room is open.
	 *
	 * @param string        $room  its name on the gateway.
	 * @param string[]|null $rooms that are open; null: the server has no rooms.
	 */
	private function room( string $room, ?array $rooms ): void {
		if ( null === $rooms ) {
			/* translators: %s: a room's name. */
			$this->add( 'problem', sprintf( __( 'The media server has no rooms, so %s cannot be entered', 'lianmai' ), $room ), __( 'Update the gateway.', 'lianmai' ) );
		} elseif ( in_array( $room, $rooms, true ) ) {
			/* translators: %s: a room's name. */
			$this->add( 'good', sprintf( __( 'The room %s is open now', 'lianmai' ), $room ) );
		} else {
			/* translators: %s: a room's name. */
			$this->add( 'info', sprintf( __( 'The room %s is not open now', 'lianmai' ), $room ), __( 'The first host who enters opens it. Readers who wait come in by themselves.', 'lianmai' ) );
		}
	}

	/** Checks whether the gateway trusts this site for these streams. */
	private function prefix( Elements $shown ): void {
		$prefix = Settings::prefix();
		foreach ( $shown->streams() as $stream ) {
			if ( '' !== $prefix && 0 !== strpos( $stream, $prefix . '/' ) ) {
				/* translators: 1: a stream's name, 2: what names begin with. */
				$this->add( 'problem', sprintf( __( '%1$s is not a stream of this site: those begin with %2$s', 'lianmai' ), $stream, $prefix . '/' ) );
			}
		}
	}

	/** Checks whether a stream is live. */
	private function live( string $stream ): void {
		$is = Gateway::live( $stream );
		if ( true === $is ) {
			/* translators: %s: a stream's name. */
			$this->add( 'good', sprintf( __( 'Somebody is live on %s now', 'lianmai' ), $stream ) );
		} elseif ( false === $is ) {
			/* translators: %s: a stream's name. */
			$this->add( 'info', sprintf( __( 'Nobody is live on %s now', 'lianmai' ), $stream ), __( 'Viewers who press play wait; the player begins by itself as soon as somebody is live.', 'lianmai' ) );
		} else {
			/* translators: %s: a stream's name. */
			$this->add( 'info', sprintf( __( 'Whether somebody is live on %s is not known', 'lianmai' ), $stream ), __( 'The media server does not tell this site.', 'lianmai' ) );
		}
	}

	/**
	 * Adds a result of Site Health. Only people who can change the settings see details: an error may name machines
	 * inside the network.
	 *
	 * @param array<string, mixed> $result of Site Health.
	 */
	private function take( array $result ): void {
		$state  = self::STATES[ $result['status'] ] ?? 'info';
		$advice = '';
		if ( 'good' !== $state ) {
			$advice = current_user_can( 'manage_options' )
				? Elements::text( (string) $result['description'] )
				: __( 'An administrator can fix this: Settings → Lianmai and Tools → Site Health say how.', 'lianmai' );
		}
		$this->add( $state, (string) $result['label'], $advice );
	}

	private function add( string $state, string $label, string $advice = '' ): void {
		$this->all[] = compact( 'state', 'label', 'advice' );
	}

	/** Returns an address without its query, which may contain a token. */
	private static function short( string $url ): string {
		return (string) preg_replace( '~[?#].*$~', '', $url );
	}
}
