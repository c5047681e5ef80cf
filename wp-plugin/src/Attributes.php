<?php
/**
 * The attributes that shortcodes and blocks take.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/**
 * Feeds the shortcodes' defaults, the blocks' attributes, the sanitiser, the renderer and the editor's controls. A row
 * has: `type` (a method of Sanitizer), `default`, `group` (the editor's panel; empty: no control of its own), `label`,
 * `help`, `written` (whether the renderer writes the value on the element), and as the type needs `choices` or `min`
 * and `max`.
 */
final class Attributes {
	/** What the shortcodes and blocks are for. `room` is a room, `rooms` the list of them. */
	public const WHO = array( 'player', 'publisher', 'room', 'rooms', 'chat' );

	/** Those of rooms: they have a room where the others have a stream. */
	public const OF_ROOMS = array( 'room', 'rooms', 'chat' );

	/**
	 * Gives the rows of each of WHO; null before the first use. A test sets another one.
	 *
	 * @var \Closure|null
	 */
	private static $table = null;

	/**
	 * The rows of one of WHO, by name, in the language of the moment.
	 *
	 * @param string $who one of WHO.
	 * @return array<string, array<string, mixed>>
	 */
	public static function of( string $who ): array {
		self::$table = self::$table ?? require __DIR__ . '/attribute-table.php';
		return ( self::$table )()[ $who ];
	}

	/**
	 * What holds where nothing is written.
	 *
	 * @param string $who one of WHO.
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
	 * Names of the attributes that the renderer writes on the element.
	 *
	 * @param string $who  one of WHO.
	 * @param bool   $flag whether those that are there or not, or those with a value.
	 * @return string[]
	 */
	public static function written( string $who, bool $flag ): array {
		return array_keys(
			array_filter(
				self::of( $who ),
				static function ( array $row ) use ( $flag ): bool {
					return $row['written'] && $flag === ( 'boolean' === $row['type'] );
				}
			)
		);
	}

	/**
	 * Rows that are a block's attributes: all but those the editor has in another way.
	 *
	 * @param string $who one of WHO.
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
}
