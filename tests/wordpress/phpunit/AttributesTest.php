<?php
/**
 * The one table, and what is made of it.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Assets;
use Lianmai\Attributes;
use Lianmai\Sanitizer;

require_once __DIR__ . '/support/ContentTestCase.php';
require_once __DIR__ . '/support/Documentation.php';

final class AttributesTest extends ContentTestCase {
	public function test_names(): void {
		$this->assertEqualsCanonicalizing(
			explode( ' ', 'url src stream server protocol latency autoplay muted controls loop preload poster width height ratio class title retry offline captions viewers stats' ),
			array_keys( Attributes::of( 'player' ) )
		);
		$this->assertEqualsCanonicalizing(
			explode( ' ', 'url src stream server source bitrate width height roles users preview class' ),
			array_keys( Attributes::of( 'publisher' ) )
		);
	}

	/** A default is a value of its type: what the sanitiser would make of it. */
	public function test_defaults(): void {
		foreach ( Attributes::WHO as $who ) {
			foreach ( Attributes::defaults( $who ) as $name => $preset ) {
				$this->assertSame( $preset, Sanitizer::clean( $who, array( $name => $preset ) )[ $name ], $name );
			}
			$this->assertSame( Attributes::defaults( $who ), Sanitizer::clean( $who, array() ) );
		}
	}

	public function test_shortcodes_have_the_tables_defaults(): void {
		$seen   = array();
		$filter = static function ( $out, $pairs ) use ( &$seen ) {
			$seen[] = $pairs;
			return $out;
		};
		foreach ( Attributes::WHO as $who ) {
			add_filter( "shortcode_atts_srs_$who", $filter, 10, 2 );
			do_shortcode( "[srs_$who stream=\"live/a\"]" );
			$this->assertSame( Attributes::defaults( $who ), array_pop( $seen ) );
		}
	}

	public function test_blocks_have_the_tables_attributes(): void {
		foreach ( Attributes::WHO as $who ) {
			$block = \WP_Block_Type_Registry::get_instance()->get_registered( "lianmai/$who" );
			$this->assertSame( 'player' === $who ? 'Live player' : 'Live publisher', $block->title );
			$this->assertTrue( $block->is_dynamic() );
			foreach ( Attributes::block( $who ) as $name => $row ) {
				$this->assertSame( $row['default'], $block->attributes[ $name ]['default'], $name );
				$this->assertSame( is_bool( $row['default'] ) ? 'boolean' : 'string', $block->attributes[ $name ]['type'], $name );
			}
			$this->assertSame( array( 'class', 'src' ), array_values( array_intersect( array( 'class', 'src' ), array_keys( array_diff_key( Attributes::of( $who ), $block->attributes ) ) ) ) );
		}
	}

	public function test_the_editor_has_the_table(): void {
		Assets::edit();
		$before = (string) array_values( array_filter( wp_scripts()->get_data( Assets::EDITOR, 'before' ) ) )[0];
		$this->assertStringNotContainsString( '<', $before );
		$editor = json_decode( (string) preg_replace( '/^window\.lianmaiEditor = |;$/', '', $before ), true );
		foreach ( Attributes::WHO as $who ) {
			$this->assertSame( json_decode( (string) wp_json_encode( Attributes::of( $who ) ), true ), $editor[ $who ] );
		}
	}

	/** Written anew with LIANMAI_WRITE=1. */
	public function test_the_documentation_has_the_table(): void {
		$file = dirname( __DIR__, 3 ) . '/docs/wordpress.md';
		$is   = (string) file_get_contents( $file );
		if ( '1' === getenv( 'LIANMAI_WRITE' ) ) {
			$is = Documentation::with_tables( $is );
			file_put_contents( $file, $is );
		}
		foreach ( Attributes::WHO as $who ) {
			$this->assertStringContainsString( "<!-- attributes of the $who -->\n" . Documentation::table( $who ) . "\n<!-- end -->", $is );
		}
	}
}
