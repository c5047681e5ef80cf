<?php
/**
 * The blocks: "Live player", "Live publisher", "Live room", "List of live rooms" and "Live chat".
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** Dynamic blocks: the post stores their attributes, and the page gets the HTML of the shortcodes. */
final class Blocks {
	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'init', array( self::class, 'announce' ) );
	}

	/** Registers the blocks with the attributes of the attribute table. */
	public static function announce(): void {
		foreach ( Attributes::WHO as $who ) {
			register_block_type(
				plugin_dir_path( FILE ) . 'blocks/' . $who,
				array(
					'attributes'      => self::schema( $who ),
					'render_callback' => static function ( $attributes ) use ( $who ): string {
						return self::render( $who, (array) $attributes );
					},
				)
			);
		}
	}

	/**
	 * Returns the HTML of a block.
	 *
	 * @param string $who        player or publisher.
	 * @param array  $attributes of the block.
	 */
	public static function render( string $who, array $attributes ): string {
		$classes = is_string( $attributes['className'] ?? null ) ? $attributes['className'] : '';
		$align   = $attributes['align'] ?? '';
		if ( in_array( $align, array( 'left', 'center', 'right', 'wide', 'full' ), true ) ) {
			$classes .= ' align' . $align;
		}
		return Renderer::render( $who, array_intersect_key( $attributes, Attributes::block( $who ) ), $classes );
	}

	/**
	 * Returns the attribute table in the format of blocks.
	 *
	 * @param string $who player or publisher.
	 * @return array<string, array<string, mixed>>
	 */
	private static function schema( string $who ): array {
		return array_map(
			static function ( array $row ): array {
				return array(
					'type'    => is_bool( $row['default'] ) ? 'boolean' : 'string',
					'default' => $row['default'],
				);
			},
			Attributes::block( $who )
		);
	}
}
