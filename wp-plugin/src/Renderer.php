<?php
/**
 * The HTML of a player or publisher.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * One for shortcodes, blocks and embeds. What it makes is the same for every reader, so that pages can be cached;
 * only those who may edit the post see what is amiss with it.
 */
final class Renderer {
	/** Attributes that stand in the element as they are, where they are not the default. */
	private const PLAIN = array(
		'player'    => array( 'protocol', 'latency', 'preload', 'poster', 'captions', 'retry', 'ratio', 'title', 'offline' ),
		'publisher' => array( 'source', 'bitrate' ),
	);

	/** Attributes that are there or not. */
	private const FLAGS = array(
		'player'    => array( 'autoplay', 'muted', 'controls', 'loop', 'viewers', 'stats' ),
		'publisher' => array( 'preview' ),
	);

	/**
	 * A player or publisher.
	 *
	 * @param string $who     player or publisher.
	 * @param array  $raw     attributes as written.
	 * @param string $classes more of the box, by WordPress.
	 */
	public static function render( string $who, array $raw, string $classes = '' ): string {
		// An excerpt is text; what it leaves out must not load anything either.
		if ( doing_filter( 'get_the_excerpt' ) ) {
			return '';
		}
		$is = Sanitizer::clean( $who, $raw );
		if ( is_feed() ) {
			return 'player' === $who ? self::link( $is['title'] ) : '';
		}
		$wrote = array_filter( array_intersect_key( Sanitizer::named( $raw ), array_flip( array( 'url', 'src' ) ) ) );
		$place = self::place( $who, $is, array() !== $wrote );
		if ( isset( $place['amiss'] ) ) {
			return self::note( $place['amiss'] );
		}
		Assets::need();

		$element = array(
			'data-lianmai' => '',
			'url'          => $place['url'],
		) + self::written( $who, $is );
		if ( $place['relay'] ) {
			// Beside it there is no stream's address that the element could make up.
			$element['protocol'] = 'webrtc';
		}
		if ( '' !== $place['ticket'] ) {
			$element['data-ticket'] = $place['ticket'];
		}
		if ( $place['token'] ) {
			$element['data-token'] = '';
		}
		$box = array_filter(
			array(
				'class' => self::names( $who, $is, $classes ),
				'style' => self::style( $is ),
			)
		);
		if ( 'publisher' === $who ) {
			$box['hidden'] = '';
		}
		// A publisher is hidden as long as no script un-hides it.
		$without = 'player' === $who ? '<noscript>' . esc_html__( 'Watching this needs JavaScript.', 'lianmai' ) . '</noscript>' : '';
		return '<div' . self::attributes( $box ) . "><srs-{$who}" . self::attributes( $element ) . ">{$without}</srs-{$who}></div>";
	}

	/**
	 * Where it is, with what shows the right to it; or a sentence on what is amiss.
	 *
	 * @param string $who   player or publisher.
	 * @param array  $is    clean attributes.
	 * @param bool   $wrote whether something was written where an address belongs.
	 * @return array{url?: string, ticket?: string, token?: bool, relay?: bool, amiss?: string}
	 */
	private static function place( string $who, array $is, bool $wrote ): array {
		$ours   = Settings::server();
		$server = '' !== $is['server'] ? $is['server'] : $ours;
		$kind   = $server === $ours ? Settings::kind() : 'lianmai';
		$url    = Secrets::strip( $is['url'] );
		$stream = '';
		foreach ( array( $ours, Settings::api() ) as $base ) {
			if ( '' === $stream && '' !== $url && Address::on( $url, $base ) ) {
				$stream = Address::stream( $url, $base );
			}
		}
		if ( '' === $url ) {
			if ( $wrote ) {
				return array( 'amiss' => __( 'Lianmai: this is not the address of a stream. It begins with webrtc://, https://, http://, wss:// or ws://, or is relative.', 'lianmai' ) );
			}
			if ( '' === $is['stream'] ) {
				return array( 'amiss' => __( 'Lianmai: give the address of a stream, url="webrtc://your-server/live/livestream", or its name, stream="live/livestream".', 'lianmai' ) );
			}
			if ( '' === $server ) {
				return array( 'amiss' => __( 'Lianmai: set the server under Settings → Lianmai, or name it here with server="https://your-server".', 'lianmai' ) );
			}
			$stream = $server === $ours ? $is['stream'] : '';
			// SRS without a proxy answers offers at another port than it plays from.
			$offers = 'secret' === $kind && in_array( $is['protocol'] ?? 'auto', array( 'auto', 'webrtc' ), true ) ? Settings::api() : $server;
			$url    = 'player' === $who
				? Address::play( $is['stream'], $offers, $is['protocol'], $kind )
				: Address::publish( $is['stream'], $offers, $kind );
		}
		// A token is good on the server of the settings alone, and shown to no other.
		$needed = '' !== $stream && ( 'publisher' === $who || Settings::play_tokens() );
		if ( ( $needed || 'publisher' === $who ) && Holder::is_in_loop_of_others() ) {
			return array( 'amiss' => __( 'Lianmai: a list of other posts (Query Loop) is no place for this, since the rights of those posts would count. Put it before or after the list.', 'lianmai' ) );
		}
		$holder = Holder::id();
		$token  = null !== $holder && $needed;
		$ticket = null === $holder ? '' : self::ticket( $holder, $who, $stream, $token, $is );
		$relay = $token && 'publisher' === $who && 'secret' === Settings::kind();
		if ( $relay ) {
			$url = rest_url( 'lianmai/v1/whip' );
		}
		return compact( 'url', 'ticket', 'token', 'relay' );
	}

	/**
	 * What the page shows to learn who may see a publisher, and to get a token; empty where neither is asked.
	 *
	 * @param int    $post   that holds it.
	 * @param string $who    player or publisher.
	 * @param string $stream app/name on the server of the settings; empty: it is on another.
	 * @param bool   $token  whether a token is needed.
	 * @param array  $is     clean attributes.
	 */
	private static function ticket( int $post, string $who, string $stream, bool $token, array $is ): string {
		if ( 'player' === $who ) {
			return $token ? Ticket::make( $post, $stream, 'play' ) : '';
		}
		$limits = array();
		foreach ( array( 'roles', 'users' ) as $limit ) {
			if ( '' !== $is[ $limit ] ) {
				$limits[ $limit ] = explode( ',', $is[ $limit ] );
			}
		}
		return Ticket::make( $post, $stream, $token ? 'publish' : 'show', $limits );
	}

	/**
	 * The element's own attributes.
	 *
	 * @param string $who player or publisher.
	 * @param array  $is  clean attributes.
	 * @return array<string, string>
	 */
	private static function written( string $who, array $is ): array {
		$preset  = Attributes::defaults( $who );
		$written = array();
		foreach ( self::PLAIN[ $who ] as $name ) {
			if ( $is[ $name ] !== $preset[ $name ] ) {
				$written[ $name ] = $is[ $name ];
			}
		}
		foreach ( array( 'poster', 'captions' ) as $name ) {
			if ( isset( $written[ $name ] ) ) {
				$written[ $name ] = Secrets::strip_file( $written[ $name ] );
			}
		}
		foreach ( self::FLAGS[ $who ] as $name ) {
			if ( $is[ $name ] ) {
				$written[ $name ] = '';
			}
		}
		// In pixels. A publisher's are those of the picture it asks the camera for: both or none.
		$pixels = array_filter( array_map( 'intval', array_intersect_key( $is, array( 'width' => 1, 'height' => 1 ) ) ) );
		if ( 'px' !== substr( $is['width'], -2 ) ) {
			unset( $pixels['width'] );
		}
		if ( 'player' === $who || 2 === count( $pixels ) ) {
			$written += array_map( 'strval', $pixels );
		}
		return $written;
	}

	/**
	 * The box's classes.
	 *
	 * @param string $who     player or publisher.
	 * @param array  $is      clean attributes.
	 * @param string $classes more, by WordPress.
	 */
	private static function names( string $who, array $is, string $classes ): string {
		return trim( "lianmai lianmai-{$who} wp-block-lianmai-{$who} " . Sanitizer::classes( $classes . ' ' . $is['class'] ) );
	}

	/**
	 * The box's size, where it is not that of its place.
	 *
	 * @param array $is clean attributes.
	 */
	private static function style( array $is ): string {
		$style = '100%' === $is['width'] ? '' : "width:{$is['width']};max-width:100%;";
		if ( '' === $is['height'] && '' !== ( $is['ratio'] ?? '' ) ) {
			$style .= 'aspect-ratio:' . str_replace( ':', '/', $is['ratio'] ) . ';';
		}
		return $style;
	}

	/**
	 * In a feed there are no players: a link to the page that has one.
	 *
	 * @param string $title of the player.
	 */
	private static function link( string $title ): string {
		$page = get_permalink();
		return $page ? sprintf( '<p><a href="%s">%s</a></p>', esc_url( $page ), esc_html( '' === $title ? __( 'Watch live', 'lianmai' ) : $title ) ) : '';
	}

	/**
	 * What is amiss, for those who can do something about it.
	 *
	 * @param string $sentence of ours.
	 */
	private static function note( string $sentence ): string {
		$post = Holder::written_in();
		$may  = $post > 0 ? current_user_can( 'edit_post', $post ) : current_user_can( 'edit_theme_options' );
		return $may ? '<p class="lianmai-note">' . esc_html( $sentence ) . '</p>' : '';
	}

	/**
	 * Attributes as HTML. WordPress looks for shortcodes in what it was given, even within tags: there are none.
	 *
	 * @param array<string, string> $all names and values.
	 */
	private static function attributes( array $all ): string {
		$html = '';
		foreach ( $all as $name => $value ) {
			$safe  = strtr(
				esc_attr( $value ),
				array(
					'[' => '&#x5B;',
					']' => '&#x5D;',
				)
			);
			$html .= ' ' . $name . ( '' === $value ? '' : '="' . $safe . '"' );
		}
		return $html;
	}
}
