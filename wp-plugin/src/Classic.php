<?php
/**
 * Buttons of the classic editor.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The buttons ask for a stream or room and insert a shortcode: above the text, in the visual editor, among the quicktags. */
final class Classic {
	private const HANDLE = 'lianmai-classic';

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'media_buttons', array( self::class, 'show' ), 20 );
		add_action( 'wp_enqueue_editor', array( self::class, 'enqueue' ) );
		add_filter( 'mce_external_plugins', array( self::class, 'plugins' ) );
		add_filter( 'mce_buttons', array( self::class, 'buttons' ), 10, 2 );
	}

	/**
	 * Prints the buttons above the text.
	 *
	 * @param mixed $editor id of the editor.
	 */
	public static function show( $editor = 'content' ): void {
		foreach ( self::labels() as $who => $label ) {
			printf(
				'<button type="button" class="button lianmai-insert" data-who="%1$s" data-editor="%2$s">%3$s</button> ',
				esc_attr( $who ),
				esc_attr( is_string( $editor ) ? $editor : 'content' ),
				esc_html( $label )
			);
		}
	}

	/** Loads the script with its texts. */
	public static function enqueue(): void {
		wp_enqueue_script( self::HANDLE, plugins_url( 'assets/classic.js', FILE ), array(), VERSION, true );
		$words = array(
			'labels'  => self::labels(),
			'ask'     => __( 'Name of the stream, as app/name, or its address:', 'lianmai' ),
			'stream'  => Starter::stream(),
			'askRoom' => __( 'Name of the room, without spaces:', 'lianmai' ),
			'room'    => 'friday-show',
		);
		wp_add_inline_script( self::HANDLE, 'window.lianmaiClassic = ' . wp_json_encode( $words, JSON_HEX_TAG | JSON_HEX_AMP ) . ';', 'before' );
	}

	/**
	 * Adds the same script as a plugin of the visual editor.
	 *
	 * @param mixed $plugins addresses by name.
	 * @return mixed
	 */
	public static function plugins( $plugins ) {
		return is_array( $plugins ) ? $plugins + array( 'lianmai' => add_query_arg( 'ver', VERSION, plugins_url( 'assets/classic.js', FILE ) ) ) : $plugins;
	}

	/**
	 * Adds the buttons to the first row of the visual editor.
	 *
	 * @param mixed $buttons names.
	 * @return mixed
	 */
	public static function buttons( $buttons ) {
		return is_array( $buttons ) ? array_merge( $buttons, array( 'lianmai_player', 'lianmai_publisher', 'lianmai_room' ) ) : $buttons;
	}

	/** @return array<string, string> */
	private static function labels(): array {
		return array(
			'player'    => __( 'Live player', 'lianmai' ),
			'publisher' => __( 'Live publisher', 'lianmai' ),
			'room'      => __( 'Live room', 'lianmai' ),
		);
	}
}
