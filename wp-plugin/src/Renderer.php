<?php
/**
 * The HTML of a player, publisher, room, list of rooms or chat.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Renders shortcodes, blocks and embeds. The HTML is the same for every reader, so that pages can be cached. Only people
 * who may edit the post see errors.
 */
final class Renderer {
	/** The element of each kind. A room is the view of its audience until the script knows the role of the person. */
	private const TAGS = array(
		'player'    => 'srs-player',
		'publisher' => 'srs-publisher',
		'room'      => 'srs-audience',
		'rooms'     => 'srs-room-list',
		'chat'      => 'srs-chat',
	);

	/** Kinds for readers: without scripts, a link takes their place. */
	private const WATCHED = array( 'player', 'room' );

	/** Brackets of shortcodes, and their entities. */
	private const BRACKETS = array(
		'[' => '&#x5B;',
		']' => '&#x5D;',
	);

	/**
	 * Returns an element in its container.
	 *
	 * @param string $who     one of Attributes::WHO.
	 * @param array  $raw     attributes as written.
	 * @param string $classes more classes of the container, from WordPress.
	 */
	public static function render( string $who, array $raw, string $classes = '' ): string {
		// An excerpt is text, so a removed player must not load scripts either.
		if ( doing_filter( 'get_the_excerpt' ) ) {
			return '';
		}
		$is = Sanitizer::clean( $who, $raw );
		if ( is_feed() ) {
			$link = in_array( $who, self::WATCHED, true ) ? self::link( $is['title'] ) : '';
			return '' === $link ? '' : "<p>{$link}</p>";
		}
		$named = Sanitizer::named( $raw );
		if ( in_array( $who, Attributes::OF_ROOMS, true ) ) {
			$place = RoomPlace::of( $who, $is, Sanitizer::excerpt( $named['room'] ?? null ) );
		} else {
			$wrote = array_filter( array_intersect_key( $named, array_flip( array( 'url', 'src' ) ) ) );
			$place = self::place( $who, $is, array() !== $wrote, Sanitizer::excerpt( $named['stream'] ?? null ) );
		}
		if ( isset( $place['amiss'] ) ) {
			return self::note( $place['amiss'], $place['settings'] ?? false );
		}
		Assets::need();

		$element = array( 'data-lianmai' => '' ) + ( $place['at'] ?? array( 'url' => $place['url'] ) ) + self::written( $who, $is );
		if ( $place['relay'] ) {
			// Without an address, the element could use the stream of the page's address.
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
				'style' => self::style( $who, $is ),
			)
		);
		$along = '';
		if ( Assets::is_fetched() ) {
			$box['data-lianmai-config'] = Assets::config();
			$along                      = Assets::tags();
		}
		$without = '';
		if ( in_array( $who, self::WATCHED, true ) ) {
			// The style shows this text without scripts. A text node would remain in places that remove the tags.
			$element['data-without'] = __( 'Watching this needs JavaScript.', 'lianmai' );
			$link                    = self::link( $is['title'] );
			$without                 = '' === $link ? '' : "<noscript>{$link}</noscript>";
		}
		if ( in_array( $who, array( 'publisher', 'room' ), true ) ) {
			// Hidden until the script knows whether the person may publish.
			$box['hidden'] = '';
		}
		$tag = self::TAGS[ $who ];
		return '<div' . self::attributes( $box ) . ">{$along}<{$tag}" . self::attributes( $element ) . ">{$without}</{$tag}></div>";
	}

	/**
	 * Returns the address with its ticket, or a sentence about an error.
	 *
	 * @param string $who    player or publisher.
	 * @param array  $is     clean attributes.
	 * @param bool   $wrote  whether the shortcode has an address.
	 * @param string $stream as written.
	 * @return array{url?: string, ticket?: string, token?: bool, relay?: bool, amiss?: string, settings?: bool}
	 */
	private static function place( string $who, array $is, bool $wrote, string $stream ): array {
		$ours   = Settings::server();
		$server = '' !== $is['server'] ? $is['server'] : $ours;
		$kind   = $server === $ours ? Settings::kind() : 'lianmai';
		$url    = Secrets::strip( $is['url'] );
		$named  = $stream;
		if ( preg_match( '/^rtmp:/', $url ) && Address::same_host( $url, $ours ) && '' !== Address::stream( $url ) ) {
			// The address is for streaming programs, on the server of the settings. Browsers play the same stream from another address.
			$is['stream'] = Address::stream( $url );
			$url          = '';
			$wrote        = false;
		}
		$stream = Settings::stream_of( $url );
		if ( '' === $url ) {
			if ( $wrote ) {
				return array( 'amiss' => __( 'Lianmai: this is not the address of a stream. It begins with webrtc://, https://, http://, wss:// or ws://, or is relative.', 'lianmai' ) );
			}
			if ( '' === $is['stream'] && '' !== $named ) {
				/* translators: %s: what somebody wrote. */
				return array( 'amiss' => sprintf( __( 'Lianmai: “%s” is not the name of a stream. Write the application and the name, such as stream="live/livestream".', 'lianmai' ), $named ) );
			}
			if ( '' === $is['stream'] ) {
				return array( 'amiss' => __( 'Lianmai: give the address of a stream, url="webrtc://your-server/live/livestream", or its name, stream="live/livestream".', 'lianmai' ) );
			}
			if ( '' === $server ) {
				return array(
					'amiss'    => __( 'Lianmai: set the server under Settings → Lianmai, or name it here with server="https://your-server".', 'lianmai' ),
					'settings' => true,
				);
			}
			$stream = $server === $ours ? $is['stream'] : '';
			// SRS without a proxy accepts offers at another port than its streams.
			$offers = 'secret' === $kind && in_array( $is['protocol'] ?? 'auto', array( 'auto', 'webrtc' ), true ) ? Settings::api() : $server;
			$url    = 'player' === $who
				? Address::play( $is['stream'], $offers, $is['protocol'], $kind )
				: Address::publish( $is['stream'], $offers, $kind );
			$url    = 'player' === $who ? self::at_cdn( $stream, $is['protocol'] ?? 'auto', $url ) : $url;
		}
		// A token is valid on the server of the settings only, and must not be sent to another server.
		$needed = '' !== $stream && 'other' !== Settings::kind() && ( 'publisher' === $who || Settings::play_tokens() );
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
	 * Returns the address of a stream at the CDN of the settings; otherwise its address at the server.
	 *
	 * @param string $stream   app/name on the server of the settings; empty for another server.
	 * @param string $protocol as written: one other than HLS is not for a CDN.
	 * @param string $url      the address at the server.
	 */
	private static function at_cdn( string $stream, string $protocol, string $url ): string {
		// A CDN does not check tokens.
		if ( '' === $stream || Settings::play_tokens() || ! in_array( $protocol, array( '', 'auto', 'hls' ), true ) ) {
			return $url;
		}
		$cdn = Cdn::address( $stream );
		return '' === $cdn ? $url : $cdn;
	}

	/**
	 * Returns the ticket with which the page asks for rights and tokens; empty if it needs neither.
	 *
	 * @param int    $post   that contains it.
	 * @param string $who    player or publisher.
	 * @param string $stream app/name on the server of the settings; empty for another server.
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
	 * Returns the attributes of the element.
	 *
	 * @param string $who one of Attributes::WHO.
	 * @param array  $is  clean attributes.
	 * @return array<string, string>
	 */
	private static function written( string $who, array $is ): array {
		$rows    = Attributes::of( $who );
		$written = array();
		foreach ( Attributes::written( $who, false ) as $name ) {
			if ( $is[ $name ] !== $rows[ $name ]['default'] ) {
				$written[ $name ] = 'file' === $rows[ $name ]['type'] ? Secrets::strip_file( $is[ $name ] ) : $is[ $name ];
			}
		}
		foreach ( Attributes::written( $who, true ) as $name ) {
			if ( $is[ $name ] ) {
				$written[ $name ] = '';
			}
		}
		if ( in_array( $who, Attributes::OF_ROOMS, true ) ) {
			// Their container has the size. The script starts them, as it does players.
			if ( $is['autoplay'] ?? false ) {
				$written['autoplay'] = '';
			}
			if ( '' !== ( $is['title'] ?? '' ) ) {
				$written['title'] = $is['title'];
			}
			return $written;
		}
		// In pixels. For a publisher, they are the size of the video from the camera: both or none.
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
	 * Returns the classes of the container.
	 *
	 * @param string $who     one of Attributes::WHO.
	 * @param array  $is      clean attributes.
	 * @param string $classes more, by WordPress.
	 */
	private static function names( string $who, array $is, string $classes ): string {
		return trim( "lianmai lianmai-{$who} wp-block-lianmai-{$who} " . Sanitizer::classes( $classes . ' ' . $is['class'] ) );
	}

	/**
	 * Returns the size of the container, if it differs from the default.
	 *
	 * @param string $who one of Attributes::WHO.
	 * @param array  $is  clean attributes.
	 */
	private static function style( string $who, array $is ): string {
		$style = '100%' === $is['width'] ? '' : "width:{$is['width']};max-width:100%;";
		if ( in_array( $who, Attributes::OF_ROOMS, true ) ) {
			return '' === ( $is['height'] ?? '' ) ? $style : $style . "height:{$is['height']};";
		}
		if ( '' === $is['height'] && '' !== ( $is['ratio'] ?? '' ) ) {
			$style .= 'aspect-ratio:' . str_replace( ':', '/', $is['ratio'] ) . ';';
		}
		return $style;
	}

	/**
	 * Returns a link to the page with the player, for places without players.
	 *
	 * @param string $title of the player.
	 */
	private static function link( string $title ): string {
		$page = get_permalink();
		$text = esc_html( '' === $title ? __( 'Watch live', 'lianmai' ) : $title );
		return $page ? sprintf( '<a href="%s">%s</a>', esc_url( $page ), strtr( $text, self::BRACKETS ) ) : '';
	}

	/**
	 * Returns an error for people who can fix it; empty for others.
	 *
	 * @param string $sentence the error.
	 * @param bool   $settings whether the fix is in the settings.
	 */
	private static function note( string $sentence, bool $settings ): string {
		$post = Holder::written_in();
		$may  = $post > 0 ? current_user_can( 'edit_post', $post ) : current_user_can( 'edit_theme_options' );
		if ( ! $may ) {
			return '';
		}
		$link = '';
		if ( $settings && current_user_can( 'manage_options' ) ) {
			$link = ' <a href="' . esc_url( SettingsPage::address() ) . '">' . esc_html__( 'Open the settings', 'lianmai' ) . '</a>';
		} elseif ( $settings ) {
			$link = ' ' . esc_html__( 'An administrator can do that.', 'lianmai' );
		}
		return '<p class="lianmai-note">' . strtr( esc_html( $sentence ), self::BRACKETS ) . $link . '</p>';
	}

	/**
	 * Returns attributes as HTML. WordPress looks for shortcodes even inside tags, so brackets are encoded.
	 *
	 * @param array<string, string> $all names and values.
	 */
	private static function attributes( array $all ): string {
		$html = '';
		foreach ( $all as $name => $value ) {
			$safe  = strtr( esc_attr( $value ), self::BRACKETS );
			$html .= ' ' . $name . ( '' === $value ? '' : '="' . $safe . '"' );
		}
		return $html;
	}
}
