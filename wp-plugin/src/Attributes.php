<?php
/**
 * The attributes of shortcodes and blocks.
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
	/** Kinds of shortcodes and blocks. `rooms` is the list of rooms. */
	public const WHO = array( 'player', 'publisher', 'room', 'rooms', 'chat' );

	/** Kinds with a room instead of a stream. */
	public const OF_ROOMS = array( 'room', 'rooms', 'chat' );

	/**
	 * Returns the rows of each kind; null before the first use. Tests replace it.
	 *
	 * @var \Closure|null
	 */
	private static $table = null;

	/**
	 * Returns the rows of a kind, by name, in the current language.
	 *
	 * @param string $who one of WHO.
	 * @return array<string, array<string, mixed>>
	 */
	public static function of( string $who ): array {
		self::$table = self::$table ?? require __DIR__ . '/attribute-table.php';
		return ( self::$table )()[ $who ];
	}

	/**
	 * Returns the default values.
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
	 * Returns the names of the attributes that the renderer writes on the element.
	 *
	 * @param string $who  one of WHO.
	 * @param bool   $flag whether to return switches, or attributes with a value.
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
	 * Returns the rows that are attributes of a block: all except those that the editor provides in another way.
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
