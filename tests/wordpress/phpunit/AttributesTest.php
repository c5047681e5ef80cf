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
use Lianmai\Blocks;
use Lianmai\Sanitizer;

require_once __DIR__ . '/support/ContentTestCase.php';

final class AttributesTest extends ContentTestCase {
	private const PLAYER = __DIR__ . '/../../../player-wasm/';

	private const TITLES = array(
		'player'    => 'Live player',
		'publisher' => 'Live publisher',
		'room'      => 'Live room',
		'rooms'     => 'List of live rooms',
		'chat'      => 'Live chat',
	);

	/** Old posts have these names, so they stay. */
	public function test_names(): void {
		$player    = explode( ' ', 'url src stream server protocol latency autoplay muted controls loop preload poster width height ratio class title retry offline captions viewers stats' );
		$publisher = explode( ' ', 'url src stream server source bitrate width height roles users preview class' );
		$this->assertSame( array(), array_diff( $player, array_keys( Attributes::of( 'player' ) ) ) );
		$this->assertSame( array(), array_diff( $publisher, array_keys( Attributes::of( 'publisher' ) ) ) );
		foreach ( Attributes::WHO as $who ) {
			$this->assertSame( array_column( self::rows( $who ), 'name' ), array_keys( Attributes::of( $who ) ) );
		}
	}

	/** What the element and the shortcode both have, and nothing else, comes through to the element. */
	public function test_the_renderer_writes_what_the_element_has(): void {
		foreach ( Attributes::WHO as $who ) {
			$elsewhere = array( 'url', 'src', 'width', 'height', 'room', 'server' );
			$has       = array_column( array_filter( self::rows( $who ), static function ( array $row ): bool {
				return isset( $row['value'] );
			} ), 'name' );
			$written = array_merge( Attributes::written( $who, false ), Attributes::written( $who, true ) );
			$this->assertEqualsCanonicalizing( array_values( array_diff( $has, $elsewhere ) ), $written );
		}
	}

	/** An attribute that is added to the table reaches shortcode, sanitiser, renderer, block and editor. */
	public function test_a_new_attribute_arrives_everywhere(): void {
		$rows = json_decode( (string) file_get_contents( self::PLAYER . 'attributes.json' ), true );
		foreach ( array( 'text' => '', 'boolean' => false ) as $type => $preset ) {
			$rows[] = array(
				'element'   => 'player',
				'name'      => "fake$type",
				'value'     => 'boolean' === $type ? 'switch' : 'text',
				'shortcode' => array( 'type' => $type, 'default' => $preset, 'group' => 'play', 'label' => 'It\'s \\ fake', 'help' => 'Fakes.' ),
			);
		}
		$json = (string) tempnam( sys_get_temp_dir(), 'lianmai' );
		file_put_contents( $json, wp_json_encode( $rows ) );
		file_put_contents( $json . '.php', (string) shell_exec( 'node ' . escapeshellarg( self::PLAYER . 'attributes.mjs' ) . ' --php ' . escapeshellarg( $json ) ) );
		$table = new \ReflectionProperty( Attributes::class, 'table' );
		$table->setAccessible( true );
		$before = $table->getValue();
		try {
			$table->setValue( null, require $json . '.php' );
			$this->assertSame( array( '', false ), array( Attributes::defaults( 'player' )['faketext'], Attributes::defaults( 'player' )['fakeboolean'] ) );
			$clean = Sanitizer::clean( 'player', array( 'faketext' => " <b>x</b>\n", 'fakeboolean' => 'fakeboolean' ) );
			$this->assertSame( array( 'x', true ), array( $clean['faketext'], $clean['fakeboolean'] ) );
			$element = self::element( '[srs_player stream="live/a" faketext="a &quot; b" fakeboolean]' );
			$this->assertSame( array( 'a " b', '' ), array( $element['faketext'], $element['fakeboolean'] ) );
			$plain = self::element( '[srs_player stream="live/a" fakeboolean="0"]' );
			$this->assertArrayNotHasKey( 'faketext', $plain );
			$this->assertArrayNotHasKey( 'fakeboolean', $plain );
			$this->assertStringContainsString( ' faketext="c"', Blocks::render( 'player', array( 'stream' => 'live/a', 'faketext' => 'c' ) ) );
			$this->assertSame( array( "It's \\ fake", true ), array( self::editor()['player']['faketext']['label'], isset( self::editor()['player']['fakeboolean'] ) ) );
		} finally {
			$table->setValue( null, $before );
			unlink( $json );
			unlink( $json . '.php' );
		}
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
			do_shortcode( "[srs_$who stream=\"live/a\" room=\"a\"]" );
			$this->assertSame( Attributes::defaults( $who ), array_pop( $seen ) );
		}
	}

	public function test_blocks_have_the_tables_attributes(): void {
		foreach ( Attributes::WHO as $who ) {
			$block = \WP_Block_Type_Registry::get_instance()->get_registered( "lianmai/$who" );
			$this->assertSame( self::TITLES[ $who ], $block->title );
			$this->assertTrue( $block->is_dynamic() );
			foreach ( Attributes::block( $who ) as $name => $row ) {
				$this->assertSame( $row['default'], $block->attributes[ $name ]['default'], $name );
				$this->assertSame( is_bool( $row['default'] ) ? 'boolean' : 'string', $block->attributes[ $name ]['type'], $name );
			}
			$others = in_array( $who, Attributes::OF_ROOMS, true ) ? array( 'class' ) : array( 'class', 'src' );
			$this->assertSame( $others, array_values( array_intersect( array( 'class', 'src' ), array_keys( array_diff_key( Attributes::of( $who ), $block->attributes ) ) ) ) );
		}
	}

	public function test_the_editor_has_the_table(): void {
		$editor = self::editor();
		foreach ( Attributes::WHO as $who ) {
			$this->assertSame( json_decode( (string) wp_json_encode( Attributes::of( $who ) ), true ), $editor[ $who ] );
		}
	}

	/** What the editor's script is told. */
	private static function editor(): array {
		wp_scripts()->add_data( Assets::EDITOR, 'before', array() );
		Assets::edit();
		$before = implode( '', array_filter( (array) wp_scripts()->get_data( Assets::EDITOR, 'before' ) ) );
		self::assertStringNotContainsString( '<', $before );
		return (array) json_decode( (string) preg_replace( '/^window\.lianmaiEditor = |;$/', '', $before ), true );
	}

	/**
	 * The table's rows of one shortcode.
	 *
	 * @param string $who player or publisher.
	 */
	private static function rows( string $who ): array {
		$rows = json_decode( (string) file_get_contents( self::PLAYER . 'attributes.json' ), true );
		return array_values( array_filter( $rows, static function ( array $row ) use ( $who ): bool {
			return $who === $row['element'] && isset( $row['shortcode'] );
		} ) );
	}
}
