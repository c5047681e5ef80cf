<?php
/**
 * The one table of what players and publishers take.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Feeds the shortcodes' defaults, the blocks' attributes, the sanitiser, the editor's controls and the
 * documentation. A row has: `who` (player, publisher or both), `type` (a method of Sanitizer), `default`,
 * `group` (the editor's panel; empty: no control of its own), `label`, `help`, and as the type needs
 * `choices` or `min` and `max`.
 */
final class Attributes {
	/** What the two shortcodes and blocks are for. */
	public const WHO = array( 'player', 'publisher' );

	/**
	 * All rows, by name.
	 *
	 * @return array<string, array<string, mixed>>
	 */
	public static function all(): array {
		return self::source() + self::playing() + self::publishing() + self::look();
	}

	/**
	 * The rows of the player or the publisher.
	 *
	 * @param string $who player or publisher.
	 * @return array<string, array<string, mixed>>
	 */
	public static function of( string $who ): array {
		return array_filter(
			self::all(),
			static function ( array $row ) use ( $who ): bool {
				return 'both' === $row['who'] || $who === $row['who'];
			}
		);
	}

	/**
	 * What holds where nothing is written.
	 *
	 * @param string $who player or publisher.
	 * @return array<string, string|bool>
	 */
	public static function defaults( string $who ): array {
		return array_map(
			static function ( array $row ) {
				return $row['default'];
			},
			self::of( $who )
		);
	}

	/**
	 * Rows that are a block's attributes: all but those the editor has in another way.
	 *
	 * @param string $who player or publisher.
	 * @return array<string, array<string, mixed>>
	 */
	public static function block( string $who ): array {
		return array_filter(
			self::of( $who ),
			static function ( array $row ): bool {
				return '' !== $row['group'];
			}
		);
	}

	/** Which stream, and whence. */
	private static function source(): array {
		return array(
			'url'      => self::row( 'both', 'address', '', 'source', __( 'Address', 'lianmai' ), __( 'Of a stream: webrtc://, http(s):// or ws(s)://, absolute or relative.', 'lianmai' ) ),
			'src'      => self::row( 'both', 'address', '', '', __( 'Address', 'lianmai' ), __( 'The same as url, which wins.', 'lianmai' ) ),
			'stream'   => self::row( 'both', 'stream', '', 'source', __( 'Stream', 'lianmai' ), __( 'As app/name, such as live/livestream, in place of an address. The server is that of the settings.', 'lianmai' ) ),
			'server'   => self::row( 'both', 'server', '', 'source', __( 'Server', 'lianmai' ), __( 'Another server than that of the settings, for the stream.', 'lianmai' ) ),
			'protocol' => self::row( 'player', 'choice', 'auto', 'source', __( 'Protocol', 'lianmai' ), __( 'How the stream is fetched. “auto” takes the fastest that works.', 'lianmai' ) )
				+ array( 'choices' => array( 'auto', 'webrtc', 'flv', 'ws-flv', 'hls', 'ts', 'native' ) ),
			'source'   => self::row( 'publisher', 'choice', 'camera', 'source', __( 'Source', 'lianmai' ), __( 'What is published: camera and microphone, the screen, or the microphone alone.', 'lianmai' ) )
				+ array( 'choices' => array( 'camera', 'screen', 'audio' ) ),
		);
	}

	/** How it plays. */
	private static function playing(): array {
		return array(
			'latency'  => self::row( 'player', 'choice', 'low', 'play', __( 'Latency', 'lianmai' ), __( '“realtime” is as near as the network allows, “normal” is for bad networks.', 'lianmai' ) )
				+ array( 'choices' => array( 'realtime', 'low', 'normal' ) ),
			'autoplay' => self::row( 'player', 'boolean', false, 'play', __( 'Play at once', 'lianmai' ), __( 'Starts by itself. Otherwise a reader presses play, and nothing of the player is loaded before.', 'lianmai' ) ),
			'muted'    => self::row( 'player', 'boolean', false, 'play', __( 'Muted', 'lianmai' ), __( 'Starts without sound, as browsers want of what plays at once.', 'lianmai' ) ),
			'controls' => self::row( 'player', 'boolean', true, 'play', __( 'Controls', 'lianmai' ), __( 'Shows buttons for play, sound and full screen.', 'lianmai' ) ),
			'loop'     => self::row( 'player', 'boolean', false, 'play', __( 'Loop', 'lianmai' ), __( 'Begins again at the end, where the address is a recording.', 'lianmai' ) ),
			'preload'  => self::row( 'player', 'choice', 'none', 'play', __( 'Preload', 'lianmai' ), __( 'What is fetched before play.', 'lianmai' ) )
				+ array( 'choices' => array( 'none', 'metadata', 'auto' ) ),
			'retry'    => self::row( 'player', 'integer', '', 'play', __( 'Attempts to reconnect', 'lianmai' ), __( 'How often it tries after an interruption. Empty: for ever.', 'lianmai' ) )
				+ array(
					'min' => 0,
					'max' => 100000,
				),
			'viewers'  => self::row( 'player', 'boolean', false, 'play', __( 'Viewers', 'lianmai' ), __( 'Shows how many watch.', 'lianmai' ) ),
			'stats'    => self::row( 'player', 'boolean', false, 'play', __( 'Statistics', 'lianmai' ), __( 'Shows figures over the picture.', 'lianmai' ) ),
		);
	}

	/** Who may publish, and how much. */
	private static function publishing(): array {
		return array(
			'bitrate' => self::row( 'publisher', 'integer', '', 'publish', __( 'Bit rate', 'lianmai' ), __( 'Of the video at most, in kb/s. Empty: what suits the size.', 'lianmai' ) )
				+ array(
					'min' => 50,
					'max' => 100000,
				),
			'preview' => self::row( 'publisher', 'boolean', false, 'publish', __( 'Preview', 'lianmai' ), __( 'Shows the camera first; a second press goes live.', 'lianmai' ) ),
			'roles'   => self::row( 'publisher', 'names', '', 'publish', __( 'Only these roles', 'lianmai' ), __( 'Names with commas between. They narrow who may publish here, and give nobody a right.', 'lianmai' ) ),
			'users'   => self::row( 'publisher', 'names', '', 'publish', __( 'Only these people', 'lianmai' ), __( 'User names with commas between. They narrow who may publish here, and give nobody a right.', 'lianmai' ) ),
		);
	}

	/** What it looks like. */
	private static function look(): array {
		return array(
			'title'    => self::row( 'player', 'text', '', 'look', __( 'Title', 'lianmai' ), __( 'Names the player to screen readers.', 'lianmai' ) ),
			'poster'   => self::row( 'player', 'file', '', 'look', __( 'Poster', 'lianmai' ), __( 'Address of a picture to show before the stream.', 'lianmai' ) ),
			'offline'  => self::row( 'player', 'text', '', 'look', __( 'When nobody is live', 'lianmai' ), __( 'A sentence to show until the stream begins.', 'lianmai' ) ),
			'captions' => self::row( 'player', 'file', '', 'look', __( 'Captions', 'lianmai' ), __( 'Address of a WebVTT file.', 'lianmai' ) ),
			'width'    => self::row( 'both', 'width', '100%', 'look', __( 'Width', 'lianmai' ), __( 'In pixels or per cent; never wider than its place.', 'lianmai' ) ),
			'height'   => self::row( 'both', 'height', '', 'look', __( 'Height', 'lianmai' ), __( 'In pixels. Empty: what suits the shape.', 'lianmai' ) ),
			'ratio'    => self::row( 'player', 'ratio', '', 'look', __( 'Shape', 'lianmai' ), __( 'Width to height, such as 16:9 or 4:3. Empty: the picture’s own.', 'lianmai' ) ),
			'class'    => self::row( 'both', 'classes', '', '', __( 'CSS classes', 'lianmai' ), __( 'Names for the theme’s styles, with spaces between.', 'lianmai' ) ),
		);
	}

	/**
	 * One row.
	 *
	 * @param string      $who     player, publisher or both.
	 * @param string      $type    of the value.
	 * @param string|bool $preset  the default.
	 * @param string      $group   the editor's panel.
	 * @param string      $label   of the control.
	 * @param string      $help    in one sentence or two.
	 */
	private static function row( string $who, string $type, $preset, string $group, string $label, string $help ): array {
		return array(
			'who'     => $who,
			'type'    => $type,
			'default' => $preset,
			'group'   => $group,
			'label'   => $label,
			'help'    => $help,
		);
	}
}
