<?php
/**
 * The attribute table as docs/wordpress.md has it.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Attributes;

/** Markdown out of the one table. */
final class Documentation {
	/**
	 * What is written for each type.
	 *
	 * @param array<string, mixed> $row of the table.
	 */
	private static function value( array $row ): string {
		$words = array(
			'address' => 'an address',
			'server'  => '`https://host[:port]`',
			'stream'  => '`app/name`',
			'boolean' => 'on or off',
			'file'    => 'an address',
			'text'    => 'words',
			'width'   => '`640`, `640px` or `50%`',
			'height'  => '`360` or `360px`',
			'ratio'   => '`16:9`',
			'classes' => 'names',
			'names'   => '`name,name`',
			'integer' => sprintf( '%d to %d', $row['min'] ?? 0, $row['max'] ?? 0 ),
			'choice'  => '`' . implode( '`, `', $row['choices'] ?? array() ) . '`',
		);
		return $words[ $row['type'] ];
	}

	/**
	 * The table of the player or the publisher.
	 *
	 * @param string $who player or publisher.
	 */
	public static function table( string $who ): string {
		$lines = array( '| attribute | value | default | |', '|---|---|---|---|' );
		foreach ( Attributes::of( $who ) as $name => $row ) {
			$preset  = is_bool( $row['default'] ) ? ( $row['default'] ? 'on' : 'off' ) : $row['default'];
			$lines[] = sprintf( '| `%s` | %s | %s | %s |', $name, self::value( $row ), '' === $preset ? '' : "`$preset`", $row['help'] );
		}
		return implode( "\n", $lines );
	}

	/**
	 * A document with the tables as they are now, between their marks.
	 *
	 * @param string $document in Markdown.
	 */
	public static function with_tables( string $document ): string {
		foreach ( Attributes::WHO as $who ) {
			$document = (string) preg_replace_callback(
				"/(<!-- attributes of the $who -->\n).*?(<!-- end -->)/s",
				static function ( array $is ) use ( $who ): string {
					return $is[1] . self::table( $who ) . "\n" . $is[2];
				},
				$document
			);
		}
		return $document;
	}
}
